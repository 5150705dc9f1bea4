# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime and OpenVINO, on a model of one layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from adapters import Inputs, Prepared


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
    """All graph optimizations; input and output bound to memory once."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = inputs.threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(str(onnx_file(inputs)), options, providers=["CPUExecutionProvider"])
    x = inputs.flat_x
    out = ort.OrtValue.ortvalue_from_shape_and_type(inputs.flat_grad.shape, np.float32)
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_ortvalue_output("y", out)
    return Prepared(
        {"bound": lambda: session.run_with_iobinding(binding)}, lambda _: {"y": out.numpy()}, [session, binding, x]
    )


def open_vino(inputs: Inputs) -> Prepared:
    """Compiled for latency; float32 is forced, since the default is bfloat16 where the processor has it."""
    import openvino as ov

    core = ov.Core()
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": inputs.threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(core.read_model(str(onnx_file(inputs))), "CPU", options)
    request = compiled.create_infer_request()
    x = inputs.flat_x
    request.set_input_tensor(ov.Tensor(x, shared_memory=True))
    return Prepared({"request": request.infer}, lambda _: {"y": request.get_output_tensor().data}, [core, compiled, x])
