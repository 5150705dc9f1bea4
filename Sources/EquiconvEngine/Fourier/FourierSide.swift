// SPDX-License-Identifier: Apache-2.0

/// One of the two signals that a weight gradient multiplies: its tiles, and where the spectra of a chunk of them lie.
///
/// Lanes run along channels. A *plane* here is a vector of channels of one element.
struct FourierSide<S: EngineScalar> {
  let channels: Int
  let elements: Int
  /// Vectors of channels.
  let groups: Int
  let lanes: Int
  let band: TileBand
  let content: FourierPlan.Content
  /// How many numbers hold a complex one: two, or the three of a factor.
  private let numbers: Int
  /// [point][tile][element][vector of channels][number][lane].
  let spectra: Piece<S>
  let pointStride: Int

  /// Planes of a tile.
  var planes: Int { elements * groups }
  /// Scalars of a plane at one point.
  var vector: Int { numbers * lanes }

  /// The signal, in windows that overlap.
  init(
    source plan: FourierPlan, channels: Int, tiles: Int, lanes: Int, _ layout: inout Workspace.Layout
  ) throws(ConvolutionError) {
    try self.init(
      plan, channels: channels, elements: plan.correlation.sourceElements, tiles: tiles,
      band: plan.sourceBand(plan.frames[0], lanes: min(lanes, plan.tiles.x)), content: plan.wholeTile,
      numbers: FourierPlan.parts, lanes: lanes, &layout)
  }

  /// The gradient, in windows that do not.
  init(
    gradient plan: FourierPlan, channels: Int, tiles: Int, lanes: Int, _ layout: inout Workspace.Layout
  ) throws(ConvolutionError) {
    try self.init(
      plan, channels: channels, elements: plan.correlation.targetElements, tiles: tiles,
      band: plan.targetBand(plan.frames[0], lanes: min(lanes, plan.tiles.x)), content: plan.outputsOfTile,
      numbers: FourierPlan.weightPlanes, lanes: lanes, &layout)
  }

  private init(
    _ plan: FourierPlan, channels: Int, elements: Int, tiles: Int, band: TileBand, content: FourierPlan.Content,
    numbers: Int, lanes: Int, _ layout: inout Workspace.Layout
  ) throws(ConvolutionError) {
    self.channels = channels
    self.elements = elements
    self.lanes = lanes
    self.band = band
    self.content = content
    self.numbers = numbers
    groups = (channels + lanes - 1) / lanes
    pointStride = FourierPlan.pointStride(planes: tiles * elements * groups, vectors: numbers, lanes: lanes)
    spectra = try layout.reserve(S.self, plan.points, pointStride)
  }

  /// A window of a piece for each channel of a vector. Lanes without a channel read that of lane 0.
  func fill(
    _ piece: TileGrid.Piece, element: Int, group: Int, from signal: UnsafePointer<S>,
    into windows: UnsafeMutablePointer<S>, _ pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
  ) {
    let first = group * lanes
    for lane in 0..<lanes {
      let window = windows + lane * band.windowVolume
      let hasChannel = first + lane < channels
      pointers[lane] = UnsafeMutableRawPointer(hasChannel ? window : windows)
      if !hasChannel { continue }
      let plane = ((piece.image * channels + first + lane) * elements + element) * band.plane.size.volume
      band.fill(piece, from: signal + plane, into: window)
    }
  }

  /// a + ib becomes a, b − a, a + b on the side that is multiplied by, as `complexMultiply` wants its weights.
  func finish(_ spectrum: UnsafeMutablePointer<S>, points: Int) {
    guard numbers == FourierPlan.weightPlanes else { return }
    var point = spectrum
    for _ in 0..<points {
      for lane in 0..<lanes {
        let (a, b) = (point[lane], point[lanes + lane])
        point[lanes + lane] = b - a
        point[2 * lanes + lane] = a + b
      }
      point += pointStride
    }
  }

  /// The pieces with which one thread transforms tiles of either side, or kernels back.
  struct Pieces {
    /// A window, or a kernel, for each lane.
    let windows: Piece<S>
    let transform: Piece<S>
    /// Where each lane's content begins, and rows and columns that an inverse transform stores.
    let lanes: Piece<UnsafeMutableRawPointer>
    let places: Piece<Int>

    init(_ plan: FourierPlan, window: Int, lanes: Int, _ layout: inout Workspace.Layout) throws(ConvolutionError) {
      windows = try layout.reserve(S.self, lanes, window)
      transform = try layout.reserve(S.self, plan.scratchVectors, lanes)
      self.lanes = try layout.reserve(UnsafeMutableRawPointer.self, lanes)
      places = try layout.reserve(Int.self, 2, lanes)
    }
  }
}
