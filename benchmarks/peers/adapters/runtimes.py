# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime and OpenVINO, on a model of one layer or of a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from networks import CLASSES
from onnx import TensorProto, helper, numpy_helper

from adapters import Array, Inputs, NetworkInputs, Prepared
from adapters.network_onnx import network_file


def onnx_file(inputs: Inputs) -> Path:
    """Writes the model; older format versions, which every reader knows."""
    case, d = inputs.case, inputs.case.dimension
    nodes, banks, name = [], [], "x"
    for number, stage in enumerate(inputs.stages):
        output = "y" if number == len(inputs.banks) - 1 else f"between{number}"
        banks.append(numpy_helper.from_array(stage.bank, f"bank{number}"))
        nodes.append(
            helper.make_node(
                "Conv",
                [name, f"bank{number}"],
                [output],
                kernel_shape=stage.bank.shape[2:],
                strides=[stage.stride] * d,
                pads=[stage.padding] * 2 * d,
                group=stage.groups,
            )
        )
        name = output
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs.flat_x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, inputs.flat_grad.shape)],
        banks,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = Path(inputs.folder) / f"model-{case.layer}.onnx"
    onnx.save(model, str(path))
    return path


def onnx_runtime(inputs: Inputs) -> Prepared:
    """One layer."""
    return _onnx_runtime(onnx_file(inputs), inputs.threads, inputs.flat_x, "y", inputs.flat_grad.shape)


def onnx_runtime_network(inputs: NetworkInputs) -> Prepared:
    """A network."""
    return _onnx_runtime(network_file(inputs), inputs.threads, inputs.x, "scores", (inputs.case.made.batch, CLASSES))


def open_vino(inputs: Inputs) -> Prepared:
    """One layer."""
    return _open_vino(onnx_file(inputs), inputs.threads, inputs.flat_x, "y")


def open_vino_network(inputs: NetworkInputs) -> Prepared:
    """A network."""
    return _open_vino(network_file(inputs), inputs.threads, inputs.x, "scores")


def _onnx_runtime(model: Path, threads: int, x: Array, name: str, shape: tuple[int, ...]) -> Prepared:
    """All graph optimizations; input and output bound to memory once."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    out = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.float32)
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_ortvalue_output(name, out)
    return Prepared(
        {"bound": lambda: session.run_with_iobinding(binding)}, lambda _: {name: out.numpy()}, [session, binding, x]
    )


def _open_vino(model: Path, threads: int, x: Array, name: str) -> Prepared:
    """Compiled for latency; float32 is forced, since the default is bfloat16 where the processor has it."""
    import openvino as ov

    core = ov.Core()
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(core.read_model(str(model)), "CPU", options)
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(x, shared_memory=True))
    return Prepared({"request": request.infer}, lambda _: {name: request.get_output_tensor().data}, [core, compiled, x])
