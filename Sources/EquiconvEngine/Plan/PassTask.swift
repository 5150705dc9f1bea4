// SPDX-License-Identifier: Apache-2.0

/// A pass to be computed: its plan, the number of images and the options.
struct PassTask<S: EngineScalar> {
  let plan: ConvolutionPlan
  let pass: Pass
  /// Images, at least 1.
  var batch: Int
  let options: PassOptions
  /// Whether weights were prepared, so that the call does not pay for their transform.
  var isPrepared = false

  var kernels: Microkernels { S.microkernels(options.instructions) }

  /// Channels of a module that a signal pass reads and computes.
  var channels: (read: Int, computed: Int) {
    pass == .inputGradient ? (plan.moduleOutputs, plan.moduleInputs) : (plan.moduleInputs, plan.moduleOutputs)
  }

  /// From one output of a signal pass, and from one channel it reads, to the next in ŵ.
  var coreStrides: (output: Int, channel: Int) {
    let (inner, outer) = (plan.stencil.coefficients, plan.moduleInputs * plan.stencil.coefficients)
    return pass == .inputGradient ? (inner, outer) : (outer, inner)
  }
}

/// How a pass is run.
struct PassOptions: Hashable {
  var instructions: InstructionSet
  var threads: Int
  /// Bytes for each thread.
  var workspaceLimit: Int
}
