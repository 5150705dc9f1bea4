// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Foundation
import Testing

/// The Swift interface of networks that are files.
struct NetworkTests {
  private static let layer =
    "equiconv-layer/1 group=cyclic(4) input=plane output=group stride=[1,1] padding=[same,same] dilation=[1,1] "
    + "padding_mode=zeros algorithm=auto interpolation=bilinear basis=none group_basis=full quadrature=no channel_groups=1"

  /// Lifting, ReLU, a maximum over H, and beside that its mean over space.
  private static let document = """
    {"format": "equiconv-network/1", "name": "example", "dtype": "float32",
     "groups": {"C4": {"text": "equiconv-group/1 cyclic(4)",
       "matrices": [[1, 0, 0, 1], [0, -1, 1, 0], [-1, 0, 0, -1], [0, 1, -1, 0]]}},
     "input": {"name": "x", "dimension": 2, "space": "plane", "channels": 2, "extents": [null, null]},
     "operations": [
       {"kind": "convolution", "name": "lift", "inputs": ["x"], "output": "a", "layer": "\(layer)", "weight": "w"},
       {"kind": "pointwise", "name": "relu", "inputs": ["a"], "output": "b", "function": "relu"},
       {"kind": "group_pool", "name": "pool", "inputs": ["b"], "output": "planes", "mode": "max"},
       {"kind": "spatial_mean", "name": "mean", "inputs": ["planes"], "output": "scores"}],
     "outputs": [{"name": "scores", "value": "scores", "classes": ["p", "q", "r"]},
                 {"name": "planes", "value": "planes"}]}
    """

  private let weight: Tensor<Float>
  private let file: NetworkFile

  init() throws {
    let weight = try Tensor<Float>.random([3, 2, 3, 3], seed: 16)
    self.weight = weight
    file = try weight.storage.withUnsafeBytes { bytes in
      var text = Self.document
      return try text.withUTF8 { document in
        try NetworkFile(
          document: document, tensors: [NetworkTensor(name: "w", type: .f32, shape: weight.shape, bytes: bytes)])
      }
    }
  }

  private func signal(_ batch: Int, size: Int = 9) throws -> Signal<Float> {
    try .random(.plane, [batch, 2, size, size], seed: 17)
  }

  @Test func aNetworkIsItsLayers() throws {
    let c4 = try PointGroup.cyclic(4)
    let x = try signal(2)
    let lifting = try Convolution(.lifting, group: c4, weight: weight, padding: .same, algorithm: .exact)
    let planes = try lifting(x).map { max($0, 0) }.groupPool(.max)
    let outputs = try Network(file, mode: .exact).outputs(x)
    #expect(outputs.map(\.shape) == [[2, 3], [2, 3, 9, 9]])
    for (a, b) in zip(outputs[1].storage, planes.storage) { #expect(abs(a - b) < 1e-5) }
    for index in 0..<6 {
      let mean = planes.storage[index * 81..<(index + 1) * 81].reduce(0, +) / 81
      #expect(abs(outputs[0].storage[index] - mean) < 1e-5)
    }
  }

  @Test func exactNetworksTurnWithTheirInput() throws {
    let c4 = try PointGroup.cyclic(4)
    let network = try Network(file, mode: .exact)
    let x = try signal(1, size: 8)
    let straight = try network.outputs(x)
    for element in 0..<4 {
      let turned = try network.outputs(x.acted(by: element, of: c4))
      #expect(turned[0] == straight[0])
      #expect(turned[1] == (try Signal(.plane, straight[1]).acted(by: element, of: c4).tensor))
    }
  }

  @Test func filesAreWrittenAndOpened() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("equiconv-\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try file.write(to: path)
    let x = try signal(2)
    let expected = try Network(file, mode: .exact)(x)
    let opened = try Network(path: path, mode: .exact)
    #expect(try opened(x) == expected)
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(try Network(bytes: bytes, mode: .exact)(x) == expected)
    #expect(opened.classes == ["p", "q", "r"] && opened.document.name == "example")
    #expect(try opened.explain(input: x.shape).map(\.name).first == "lift")
  }

  @Test func anEmptyBatchGivesEmptyTensors() throws {
    let outputs = try Network(file).outputs(try signal(0))
    #expect(outputs.map(\.shape) == [[0, 3], [0, 3, 9, 9]])
  }

  @Test func wrongSignalsAreErrors() throws {
    let network = try Network(file)
    func kind(_ body: () throws -> Void) -> NetworkError.Kind? {
      do { try body() } catch NetworkError.invalid(let kind, _, _, _) { return kind } catch {}
      return nil
    }
    #expect(kind { _ = try network(Signal<Float>.zeros(.plane, shape: [1, 3, 5, 5])) } == .argument)
    #expect(kind { _ = try network(Signal<Double>.zeros(.plane, shape: [1, 2, 5, 5])) } == .argument)
    #expect(kind { _ = try network(Signal<Float>.zeros(.group, shape: [1, 2, 4, 5, 5])) } == .argument)
    #expect(kind { _ = try Network(path: "/nowhere/at all") } == .file)
    #expect(kind { _ = try Network(bytes: [3, 0, 0, 0, 0, 0, 0, 0, 123, 125, 32]) } == .format)
  }

  @Test func tasksShareANetwork() async throws {
    let network = try Network(file, mode: .exact)
    let x = try signal(3)
    let expected = try network(x)
    let same = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 { group.addTask { try network(x) == expected } }
      return try await group.reduce(true) { $0 && $1 }
    }
    #expect(same)
  }

  /// The library for C, if it was built, opens the same file and gives the same bits.
  @Test func bitsAreThoseOfC() throws {
    guard let library = CLibrary() else { return }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("equiconv-\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try file.write(to: path)
    let x = try signal(2)
    let outputs = try Network(path: path, mode: .exact).outputs(x)
    #expect(try #require(library.outputs(path, x, counts: outputs.map(\.storage.count))) == outputs.map(\.storage))
  }
}

/// The shared library of the C interface, as another program loads it.
private struct CLibrary {
  private struct Options {
    var size = MemoryLayout<Options>.size
    var mode: Int32 = 1  // exact
    var unused: Int32 = 0
  }
  private struct Shape {
    var rank: Int32
    var sizes: (Int64, Int64, Int64, Int64, Int64, Int64)
  }
  private typealias Open =
    @convention(c) (
      UnsafePointer<CChar>, UnsafeRawPointer?, UnsafeMutablePointer<OpaquePointer?>
    ) -> Int32
  private typealias Run =
    @convention(c) (
      OpaquePointer?, Int32, UnsafeRawPointer, UnsafeRawPointer, UnsafePointer<UnsafeMutableRawPointer?>, Int32
    ) -> Int32
  private typealias Close = @convention(c) (OpaquePointer?) -> Void
  private let (open, run, close): (Open, Run, Close)

  /// Nil if it was not built.
  init?() {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = root.appendingPathComponent(".build/c/release/libequiconv.so").path
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL), let open = dlsym(library, "equiconv_network_open"),
      let run = dlsym(library, "equiconv_network_run"), let close = dlsym(library, "equiconv_network_close")
    else { return nil }
    self.open = unsafeBitCast(open, to: Open.self)
    self.run = unsafeBitCast(run, to: Run.self)
    self.close = unsafeBitCast(close, to: Close.self)
  }

  func outputs(_ path: String, _ x: Signal<Float>, counts: [Int]) -> [[Float]]? {
    var network: OpaquePointer?
    var options = Options()
    guard open(path, &options, &network) == 0 else { return nil }
    defer { close(network) }
    let sizes = x.shape.map(Int64.init)
    var shape = Shape(rank: 4, sizes: (sizes[0], sizes[1], sizes[2], sizes[3], 1, 1))
    let memory = counts.map { UnsafeMutableBufferPointer<Float>.allocate(capacity: $0) }
    defer { memory.forEach { $0.deallocate() } }
    let places = memory.map { UnsafeMutableRawPointer($0.baseAddress) }
    let status = x.storage.withUnsafeBytes { input in
      input.baseAddress.map { run(network, 0, &shape, $0, places, Int32(places.count)) }
    }
    return status == 0 ? memory.map { Array($0) } : nil
  }
}
