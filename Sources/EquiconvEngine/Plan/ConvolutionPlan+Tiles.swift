// SPDX-License-Identifier: Apache-2.0

/// The weights of a call: an array of the caller's, or prepared ones.
enum WeightSource<S: EngineScalar> {
  case array(UnsafePointer<S>)
  case prepared(PreparedWeight<S>)

  var isPrepared: Bool {
    if case .prepared = self { true } else { false }
  }

  var pointer: UnsafePointer<S> {
    switch self {
    case .array(let pointer): pointer
    case .prepared(let weight): UnsafePointer(weight.weight)
    }
  }
}

/// The arrays of a forward pass or an input gradient.
struct PassArrays<S: EngineScalar> {
  var batch: Int
  var source: UnsafePointer<S>
  var weight: WeightSource<S>
  var bias: UnsafePointer<S>?
  var destination: UnsafeMutablePointer<S>
}

/// How a pass is run.
struct PassOptions: Hashable {
  var instructions: InstructionSet
  var threads: Int
  /// Bytes for each thread.
  var workspaceLimit: Int
}

/// What a call may ask for in place of what the plan and the process would choose; for tests and measurements.
package struct RunOptions: Sendable {
  package var instructions: InstructionSet
  package var method: Method?
  package var threads: Int?
  package var workspaceLimit: Int?

  package init(
    instructions: InstructionSet = .current, method: Method? = nil, threads: Int? = nil, workspaceLimit: Int? = nil
  ) {
    self.instructions = instructions
    self.method = method
    self.threads = threads
    self.workspaceLimit = workspaceLimit
  }
}

extension ConvolutionPlan {
  func passOptions(_ options: RunOptions, batch: Int) -> PassOptions {
    PassOptions(
      instructions: options.instructions, threads: options.threads ?? threads(for: batch),
      workspaceLimit: options.workspaceLimit ?? WorkspaceLimit.bytesPerThread)
  }

  /// Channels that a pass reads and computes.
  func channels(_ pass: Pass) -> (read: Int, computed: Int) {
    pass == .inputGradient ? (moduleOutputs, moduleInputs) : (moduleInputs, moduleOutputs)
  }

  /// From one output of a pass, and from one channel it reads, to the next in ŵ.
  func coreStrides(_ pass: Pass) -> (output: Int, channel: Int) {
    let (inner, outer) = (stencil.coefficients, moduleInputs * stencil.coefficients)
    return pass == .inputGradient ? (inner, outer) : (outer, inner)
  }

  /// Kernels that are transformed apart: turned kernels share one transform.
  package func fourierBanks(_ pass: Pass) throws(ConvolutionError) -> Int {
    try tilePlans.correlation(pass, of: self).banks.count
  }

  /// The larger extent of the taps in the plane, dilation included.
  package var reach: Int { max(geometry.reach.y, geometry.reach.x) }

  /// A forward pass or an input gradient by Fourier tiles.
  func fourier<S: EngineScalar>(
    _ pass: Pass, length: Int, batch: Int, _: S.Type, _ options: PassOptions
  ) throws(ConvolutionError) -> FourierPass<S> {
    let channels = channels(pass)
    return try FourierPass(
      plan: try tilePlans.fourier(pass, length: length, of: self), batch: batch, channels: channels.read,
      outputs: channels.computed, options)
  }

  /// A forward pass or an input gradient by Winograd's tiles.
  func winograd<S: EngineScalar>(
    _ pass: Pass, outputs: Int, batch: Int, _: S.Type, _ options: PassOptions
  ) throws(ConvolutionError) -> WinogradPass<S> {
    let channels = channels(pass)
    return try WinogradPass(
      try tilePlans.correlation(pass, of: self), batch: batch, channels: channels.read, outputs: channels.computed,
      tile: outputs, options)
  }

  /// A weight gradient by Fourier tiles.
  func fourierWeightGradient<S: EngineScalar>(
    length: Int, batch: Int, _: S.Type, _ options: PassOptions
  ) throws(ConvolutionError) -> FourierGradientPass<S> {
    try FourierGradientPass(
      plan: try tilePlans.fourier(.weightGradient, length: length, of: self), batch: batch, inChannels: moduleInputs,
      outChannels: moduleOutputs, options)
  }

  /// Runs what `fourier` or `winograd` made for these arrays.
  func run<P: TilePass>(
    _ tilePass: P, _ pass: Pass, _ method: Method, _ arrays: PassArrays<P.Scalar>, _ options: PassOptions
  ) throws(ConvolutionError) {
    let weights = try transformed(pass, method, arrays.weight, options)
    try tilePass.run(
      .init(source: arrays.source, weights: weights.base, bias: arrays.bias, destination: arrays.destination))
    withExtendedLifetime(weights) {}
  }

  /// The weights in the basis of a method: kept from an earlier call, or made now.
  private func transformed<S: EngineScalar>(
    _ pass: Pass, _ method: Method, _ weight: WeightSource<S>, _ options: PassOptions
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let key = TransformKey(
      pass: pass, method: method, instructions: options.instructions, scalarBytes: MemoryLayout<S>.stride)
    let make = { () throws(ConvolutionError) in
      let made = try self.transform(pass, method, weight.pointer, options)
      // What is kept is whole.
      try Call.checkNotEnded()
      return made
    }
    switch weight {
    case .array(let array):
      return try weightCache.transformed(key, weight: array, count: try weightCount(), make)
    case .prepared(let prepared):
      return try prepared.transformed(descriptor, key, make)
    }
  }

  private func transform<S: EngineScalar>(
    _ pass: Pass, _ method: Method, _ weight: UnsafePointer<S>, _ options: PassOptions
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let (channels, strides) = (channels(pass), coreStrides(pass))
    switch method {
    case .direct: preconditionFailure("the direct method has no transform")
    case .fourier(let length):
      let transform = FourierWeights<S>(
        plan: try tilePlans.fourier(pass, length: length, of: self), channels: channels.read,
        outputs: channels.computed, kernels: S.microkernels(options.instructions), threads: options.threads)
      return try withCore(weight) { core throws(ConvolutionError) in
        try transform.transform(
          .init(weights: core, outputStride: strides.output, channelStride: strides.channel))
      }
    case .winograd(let outputs):
      let transform = WinogradWeights<S>(
        try tilePlans.correlation(pass, of: self), channels: channels.read, outputs: channels.computed,
        tile: outputs, instructions: options.instructions)
      return try withCore(weight) { core throws(ConvolutionError) in
        try transform.transform(
          core, outputStride: strides.output, channelStride: strides.channel, threads: options.threads)
      }
    }
  }
}
