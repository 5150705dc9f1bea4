// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

// One function for each layer, all alike: its name is the layer. The last reads the layer from the stabilizers.

private func forward(
  _ layer: LayerChoice, _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ input: UnsafeRawPointer?,
  _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    try cachedPlan(layer, descriptor)
      .forward(batch: batch, input: input, weight: weight, bias: bias, output: output)
  }
}

private func gradients(
  _ layer: LayerChoice, _ descriptor: UnsafePointer<equiconv_descriptor>?, _ arrays: CallGradients
) -> equiconv_status {
  withStatus { () throws(CallError) in try cachedPlan(layer, descriptor).gradients(arrays) }
}

/// The plan of a simple call.
func cachedPlan(
  _ layer: LayerChoice, _ descriptor: UnsafePointer<equiconv_descriptor>?
) throws(CallError) -> TypedPlan {
  let (descriptor, scalar) = try ConvolutionDescriptor.make(descriptor, layer: layer)
  return TypedPlan(plan: try engine(.cached(descriptor)), scalar: scalar)
}

// MARK: Forward

@_cdecl("equiconv_isotropic_conv") @implementation
public func equiconv_isotropic_conv(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ input: UnsafeRawPointer?,
  _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  forward(.named(.isotropic), descriptor, batch, input, weight, bias, output)
}

@_cdecl("equiconv_lifting_conv") @implementation
public func equiconv_lifting_conv(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ input: UnsafeRawPointer?,
  _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  forward(.named(.lifting), descriptor, batch, input, weight, bias, output)
}

@_cdecl("equiconv_group_conv") @implementation
public func equiconv_group_conv(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ input: UnsafeRawPointer?,
  _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  forward(.named(.group), descriptor, batch, input, weight, bias, output)
}

@_cdecl("equiconv_projection_conv") @implementation
public func equiconv_projection_conv(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ input: UnsafeRawPointer?,
  _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  forward(.named(.projection), descriptor, batch, input, weight, bias, output)
}

@_cdecl("equiconv_conv") @implementation
public func equiconv_conv(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ input: UnsafeRawPointer?,
  _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  forward(.general, descriptor, batch, input, weight, bias, output)
}

// MARK: Gradients

@_cdecl("equiconv_isotropic_conv_vjp") @implementation
public func equiconv_isotropic_conv_vjp(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?,
  _ input: UnsafeRawPointer?, _ weight: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?,
  _ gradWeight: UnsafeMutableRawPointer?, _ gradBias: UnsafeMutableRawPointer?
) -> equiconv_status {
  gradients(
    .named(.isotropic), descriptor,
    CallGradients(
      batch, gradOutput, input: input, weight: weight, gradInput: gradInput, gradWeight: gradWeight,
      gradBias: gradBias))
}

@_cdecl("equiconv_lifting_conv_vjp") @implementation
public func equiconv_lifting_conv_vjp(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?,
  _ input: UnsafeRawPointer?, _ weight: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?,
  _ gradWeight: UnsafeMutableRawPointer?, _ gradBias: UnsafeMutableRawPointer?
) -> equiconv_status {
  gradients(
    .named(.lifting), descriptor,
    CallGradients(
      batch, gradOutput, input: input, weight: weight, gradInput: gradInput, gradWeight: gradWeight,
      gradBias: gradBias))
}

@_cdecl("equiconv_group_conv_vjp") @implementation
public func equiconv_group_conv_vjp(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?,
  _ input: UnsafeRawPointer?, _ weight: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?,
  _ gradWeight: UnsafeMutableRawPointer?, _ gradBias: UnsafeMutableRawPointer?
) -> equiconv_status {
  gradients(
    .named(.group), descriptor,
    CallGradients(
      batch, gradOutput, input: input, weight: weight, gradInput: gradInput, gradWeight: gradWeight,
      gradBias: gradBias))
}

@_cdecl("equiconv_projection_conv_vjp") @implementation
public func equiconv_projection_conv_vjp(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?,
  _ input: UnsafeRawPointer?, _ weight: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?,
  _ gradWeight: UnsafeMutableRawPointer?, _ gradBias: UnsafeMutableRawPointer?
) -> equiconv_status {
  gradients(
    .named(.projection), descriptor,
    CallGradients(
      batch, gradOutput, input: input, weight: weight, gradInput: gradInput, gradWeight: gradWeight,
      gradBias: gradBias))
}

@_cdecl("equiconv_conv_vjp") @implementation
public func equiconv_conv_vjp(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?,
  _ input: UnsafeRawPointer?, _ weight: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?,
  _ gradWeight: UnsafeMutableRawPointer?, _ gradBias: UnsafeMutableRawPointer?
) -> equiconv_status {
  gradients(
    .general, descriptor,
    CallGradients(
      batch, gradOutput, input: input, weight: weight, gradInput: gradInput, gradWeight: gradWeight,
      gradBias: gradBias))
}
