// SPDX-License-Identifier: Apache-2.0

// Group convolutions on value types: `Signal`, the layer `Convolution` and, for weights, `Tensor`.
//
//     let c4 = try PointGroup.cyclic(4)
//     let lift = try Convolution(.lifting, group: c4, weight: w1, padding: .same)
//     let convolve = try Convolution(.group, group: c4, weight: w2, padding: .same)
//     let y = try convolve(lift(x).map { max($0, 0) })
//     let turned = try x.acted(by: 1, of: c4)           // by +90°, as numpy.rot90
//
// Feeding `turned` to the same layers gives `y.acted(by: 1, of: c4)`: up to rounding, and with `algorithm: .exact` equal
// to the last bit.

@_exported public import EquiconvBases
@_exported public import EquiconvGroups

@_exported public import enum EquiconvEngine.Algorithm
@_exported public import struct EquiconvEngine.ConvolutionDescriptor
@_exported public import struct EquiconvEngine.ConvolutionError
@_exported public import class EquiconvEngine.ConvolutionPlan
@_exported public import protocol EquiconvEngine.EngineScalar
@_exported public import struct EquiconvEngine.Explanation
@_exported public import struct EquiconvEngine.Extents
@_exported public import enum EquiconvEngine.InstructionSet
@_exported public import struct EquiconvEngine.Layer
@_exported public import enum EquiconvEngine.LayerKind
@_exported public import enum EquiconvEngine.Pass
@_exported public import enum EquiconvEngine.PaddingMode
@_exported public import enum EquiconvEngine.PoolMode
@_exported public import enum EquiconvEngine.SignalSpace
@_exported public import enum EquiconvEngine.Threads
@_exported public import enum EquiconvEngine.WorkspaceLimit

@_exported public import enum EquiconvEngine.Pointwise
@_exported public import class EquiconvNetwork.Network
@_exported public import struct EquiconvNetwork.NetworkDocument
@_exported public import enum EquiconvNetwork.NetworkError
@_exported public import class EquiconvNetwork.NetworkFile
@_exported public import struct EquiconvNetwork.NetworkOperation
@_exported public import struct EquiconvNetwork.NetworkTensor
@_exported public import struct EquiconvNetwork.OperationExplanation
@_exported public import struct EquiconvNetwork.SignalType
@_exported public import enum EquiconvNetwork.TensorType

@_exported public import enum _EquiconvErrors.Argument
@_exported public import protocol _EquiconvErrors.ArgumentError
@_exported public import enum _EquiconvErrors.Language
