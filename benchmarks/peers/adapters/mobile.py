# SPDX-License-Identifier: Apache-2.0
"""ncnn and MNN, which have Winograd algorithms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from networks import CLASSES

from adapters import Array, Call, Inputs, NetworkInputs, Prepared
from adapters.network_onnx import network_file
from adapters.runtimes import onnx_file


def _ncnn_files(inputs: Inputs) -> tuple[str, str]:
    """A network of one convolution: its text, and its weights after the tag that says float32."""
    stage, folder = inputs.stages[0], Path(inputs.folder)
    outputs, _, k, _ = stage.bank.shape
    convolution = f"0={outputs} 1={k} 3={stage.stride} 4={stage.padding} 5=0 6={stage.bank.size}"
    kind = "Convolution" if stage.groups == 1 else "ConvolutionDepthWise"
    convolution += "" if stage.groups == 1 else f" 7={stage.groups}"
    (folder / "net.param").write_text(f"7767517\n2 2\nInput x 0 1 x\n{kind} conv 1 1 x y {convolution}\n")
    (folder / "net.bin").write_bytes(b"\0\0\0\0" + stage.bank.tobytes())
    return str(folder / "net.param"), str(folder / "net.bin")


def ncnn_net(param: str, weights: str, threads: int, sgemm: bool) -> Any:
    """A network with its options, without half precision."""
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    net.opt.use_winograd_convolution, net.opt.use_sgemm_convolution = True, sgemm
    for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage", "use_bf16_packed"):
        if hasattr(net.opt, name):
            setattr(net.opt, name, False)
    if net.load_param(param) != 0 or net.load_model(weights) != 0:
        raise RuntimeError("ncnn does not load its network")
    return net


def ncnn_calls(nets: dict[str, Any], images: list[Any]) -> dict[str, Call]:
    """Runs of networks from x to y, image by image, as ncnn has no batches."""

    def run(net: Any) -> list[Any]:
        outputs = []
        for image in images:
            extractor = net.create_extractor()
            extractor.input("x", image)
            status, output = extractor.extract("y")
            if status != 0:
                raise RuntimeError(f"ncnn's extract gave {status}")
            outputs.append(output)
        return outputs

    return {name: (lambda net=net: run(net)) for name, net in nets.items()}


def ncnn_network(inputs: Inputs) -> Prepared:
    """Image by image, as ncnn has no batches; the faster of its matrix product and its sliding kernels."""
    import ncnn

    files = _ncnn_files(inputs)
    nets = {"sgemm": ncnn_net(*files, inputs.threads, True)}
    if inputs.case.kernel > 3:
        nets["sliding"] = ncnn_net(*files, inputs.threads, False)
    calls = ncnn_calls(nets, [ncnn.Mat(image) for image in inputs.flat_x])
    return Prepared(calls, lambda found: {"y": np.stack([np.array(output) for output in found])}, [nets])


def mnn_module(inputs: Inputs) -> Prepared:
    """One layer."""
    return _mnn(inputs.folder, str(onnx_file(inputs)), inputs.threads, inputs.flat_x, "y", inputs.flat_grad.shape)


def mnn_network(inputs: NetworkInputs) -> Prepared:
    """A network."""
    shape = (inputs.case.made.batch, CLASSES)
    return _mnn(inputs.folder, str(network_file(inputs)), inputs.threads, inputs.x, "scores", shape)


def _mnn(folder: str, source: str, threads: int, x: Array, name: str, shape: tuple[int, ...]) -> Prepared:
    """High precision; the level of Winograd's memory is its default, the highest."""
    # The converter's own wrapper, MNN.tools.mnnconvert, installs a package and sends statistics.
    import _tools
    import MNN.expr as expr
    import MNN.nn as nn

    path = str(Path(folder) / "model.mnn")
    _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", source, "--MNNModel", path, "--bizCode", "peers"])
    options = {"backend": "CPU", "numThread": threads, "precision": "high", "memory": "high", "power": "high"}
    runtime = nn.create_runtime_manager((options,))
    module = nn.load_module_from_file(path, ["x"], [name], runtime_manager=runtime)
    given = expr.const(x, list(x.shape), expr.NCHW)
    return Prepared(
        {"module": lambda: module.forward(given)},
        lambda y: {name: np.array(y.read(), copy=True).reshape(shape)},
        [runtime, module],
    )
