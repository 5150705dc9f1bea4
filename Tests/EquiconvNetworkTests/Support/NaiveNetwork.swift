// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import _EquiconvTestSupport

/// What a document computes, from the definitions of its operations, in Double and slowly.
struct NaiveNetwork {
  struct Value {
    var numbers: [Double]
    var batch: Int
    var channels: Int
    /// Points of the fiber.
    var points: Int
    var extents: [Int]
    var group: PointGroup?

    var volume: Int { extents.reduce(1, *) }
    /// Numbers of a channel.
    var inner: Int { points * volume }

    func with(channels: Int? = nil, points: Int? = nil, extents: [Int]? = nil, _ numbers: [Double]) -> Value {
      Value(
        numbers: numbers, batch: batch, channels: channels ?? self.channels, points: points ?? self.points,
        extents: extents ?? self.extents, group: group)
    }
  }

  let sketch: Sketch
  private var document: NetworkDocument { sketch.document }

  func outputs(_ input: [Double], _ shape: [Int]) -> [Value] {
    let type = document.input
    let group = type.group.flatMap { document.groups[$0] }
    let points = type.space == .plane ? 1 : shape[2]
    var numbers = input
    let extents = Array(shape.suffix(type.dimension))
    if let n = type.normalization {
      let inner = points * extents.reduce(1, *)
      numbers = input.enumerated().map { index, x in
        let c = index / inner % type.channels
        return (n.scale * x - n.mean[c]) / n.deviation[c]
      }
    }
    var values = [
      type.name: Value(
        numbers: numbers, batch: shape[0], channels: type.channels, points: points, extents: extents, group: group)
    ]
    for operation in document.operations {
      values[operation.output] = apply(operation.kind, operation.inputs.map { values[$0]! })
    }
    return document.outputs.map { values[$0.value]! }
  }

  private func tensor(_ name: String) -> [Double] { sketch.numbers[name]!.values }

  private func apply(_ kind: NetworkOperation.Kind, _ inputs: [Value]) -> Value {
    let x = inputs[0]
    switch kind {
    case .convolution(let layer, let weight, let bias): return convolution(x, layer, weight, bias)
    case .transposedConvolution(let layer, let weight, let bias, let padding):
      return transposed(x, layer, weight, bias, padding)
    case .batchNorm(let mean, let variance, let weight, let bias, let epsilon):
      let (m, v) = (tensor(mean), tensor(variance))
      let (w, b) = (weight.map(tensor), bias.map(tensor))
      return x.with(
        x.numbers.enumerated().map { index, value in
          let c = index / x.inner % x.channels
          return (value - m[c]) / (v[c] + epsilon).squareRoot() * (w?[c] ?? 1) + (b?[c] ?? 0)
        })
    case .pointwise(let function): return x.with(x.numbers.map { Self.apply(function, $0) })
    case .softmax: return softmax(x)
    case .groupPool(let mode, let stabilizer): return groupPool(x, mode, stabilizer)
    case .spatialPool(let mode, let kernel, let stride, let padding):
      return windows(x, mode, kernel, stride, padding)
    case .spatialMean:
      return x.with(
        extents: [],
        (0..<x.numbers.count / x.volume).map { plane in
          x.numbers[plane * x.volume..<(plane + 1) * x.volume].reduce(0, +) / Double(x.volume)
        })
    case .upsample(let mode, let factors): return upsampled(x, mode, factors)
    case .add:
      return x.with(x.numbers.indices.map { index in inputs.reduce(0) { $0 + $1.numbers[index] } })
    case .concatenate: return concatenated(inputs)
    case .restrict(let subgroup): return restricted(x, subgroup)
    case .induce(let name, let stabilizer): return induced(x, document.groups[name]!, stabilizer)
    case .linear(let weight, let bias): return linear(x, weight, bias)
    case .flatten: return x.with(channels: x.channels * x.inner, points: 1, extents: [], x.numbers)
    }
  }

  // MARK: - Layers

  private func descriptor(_ layer: Layer, _ weight: [Int], _ channels: Int, _ spatial: [Int]) -> ConvolutionDescriptor {
    var resolved = layer
    let kernel = Extents(layer.basis?.extents ?? weight.suffix(layer.group.dimension))
    for axis in kernel.indices where layer.padding[axis] == Layer.same {
      resolved.padding[axis] = layer.dilation[axis] * (kernel[axis] - 1) / 2
    }
    return ConvolutionDescriptor(
      layer: resolved, inChannels: channels, outChannels: weight[0], spatial: Extents(spatial), kernel: kernel)
  }

  private func convolution(_ x: Value, _ layer: Layer, _ weight: String, _ bias: String?) -> Value {
    let (shape, weights) = sketch.numbers[weight]!
    let d = descriptor(layer, shape, x.channels, x.extents)
    let plan = try! ConvolutionPlan(d)
    let result = Reference.forward(d, batch: x.batch, input: x.numbers, weight: weights, bias: bias.map(tensor))
    return Value(
      numbers: result, batch: x.batch, channels: shape[0], points: plan.outputElements,
      extents: plan.outputSpatial.values, group: layer.group)
  }

  /// `y[c,e,x'] = b[c] + Σ bank[o,p,c,e](u) f[o,p,x]` over all x and u with x' = stride x + dilation u − padding.
  private func transposed(_ x: Value, _ layer: Layer, _ weight: String, _ bias: String?, _ extra: [Int]) -> Value {
    let (shape, weights) = sketch.numbers[weight]!
    let probe = descriptor(layer, shape, shape[1], x.extents)
    let spatial = x.extents.indices.map { axis in
      (x.extents[axis] - 1) * layer.stride[axis] - 2 * probe.layer.padding[axis]
        + layer.dilation[axis] * (probe.kernel[axis] - 1) + 1 + extra[axis]
    }
    let d = descriptor(layer, shape, shape[1], spatial)
    let plan = try! ConvolutionPlan(d)
    let bank = Reference.filterBank(d, weight: weights)
    let (sources, targets) = (plan.inputElements, plan.outputElements)
    let (taps, out) = (positions(d.kernel.values), positions(spatial))
    var result: [Double] = []
    for image in 0..<x.batch {
      for c in 0..<shape[1] {
        for e in 0..<sources {
          var plane = [Double](repeating: bias.map { tensor($0)[c] } ?? 0, count: out.count)
          for (o, p) in (0..<shape[0]).flatMap({ o in (0..<targets).map { (o, $0) } }) {
            let read = (image * shape[0] + o) * targets + p
            for (pixel, place) in positions(x.extents).enumerated() {
              for (tap, u) in taps.enumerated() {
                let at = place.indices.map {
                  layer.stride[$0] * place[$0] + layer.dilation[$0] * u[$0] - d.layer.padding[$0]
                }
                guard let index = flat(at, spatial) else { continue }
                plane[index] +=
                  bank[(((o * targets + p) * shape[1] + c) * sources + e) * taps.count + tap]
                  * x.numbers[read * x.volume + pixel]
              }
            }
          }
          result += plane
        }
      }
    }
    return Value(
      numbers: result, batch: x.batch, channels: shape[1], points: sources, extents: spatial, group: layer.group)
  }

  private func linear(_ x: Value, _ weight: String, _ bias: String?) -> Value {
    let (shape, weights) = sketch.numbers[weight]!
    let (outputs, features) = (shape[0], shape[1])
    let summands = bias.map(tensor) ?? [Double](repeating: 0, count: outputs)
    var result: [Double] = []
    for image in 0..<x.batch {
      for o in 0..<outputs {
        var sum = summands[o]
        for f in 0..<features { sum += weights[o * features + f] * x.numbers[image * features + f] }
        result.append(sum)
      }
    }
    return x.with(channels: outputs, result)
  }

  // MARK: - Channels and fibers

  private func softmax(_ x: Value) -> Value {
    var result = x.numbers
    for image in 0..<x.batch {
      for place in 0..<x.inner {
        let index = { (c: Int) in (image * x.channels + c) * x.inner + place }
        let largest = (0..<x.channels).map { x.numbers[index($0)] }.max()!
        let sum = (0..<x.channels).reduce(0) { $0 + exponential(x.numbers[index($1)] - largest) }
        for c in 0..<x.channels { result[index(c)] = exponential(x.numbers[index(c)] - largest) / sum }
      }
    }
    return x.with(result)
  }

  private func concatenated(_ inputs: [Value]) -> Value {
    let x = inputs[0]
    return x.with(
      channels: inputs.reduce(0) { $0 + $1.channels },
      (0..<x.batch).flatMap { image in
        inputs.flatMap { input in
          input.numbers[image * input.channels * input.inner..<(image + 1) * input.channels * input.inner]
        }
      })
  }

  /// Numbers of a fiber from those of another, for each channel and place.
  private func fibers(_ x: Value, points: Int, _ value: (_ point: Int, _ read: (Int) -> Double) -> Double) -> Value {
    var result: [Double] = []
    for fiber in 0..<x.batch * x.channels {
      for point in 0..<points {
        for place in 0..<x.volume {
          result.append(value(point) { x.numbers[(fiber * x.points + $0) * x.volume + place] })
        }
      }
    }
    return x.with(points: points, result)
  }

  private func groupPool(_ x: Value, _ mode: PoolMode, _ stabilizer: [Int]?) -> Value {
    let cosets =
      stabilizer.map { k in
        (0..<x.points).map { a in k.map { x.group!.product(a, $0) }.sorted() }
          .reduce(into: [[Int]]()) { if !$0.contains($1) { $0.append($1) } }
      } ?? [Array(0..<x.points)]
    return fibers(x, points: cosets.count) { coset, read in
      let values = cosets[coset].map(read)
      return mode == .max ? values.max()! : values.reduce(0, +) / Double(values.count)
    }
  }

  private func restricted(_ x: Value, _ subgroup: [Int]) -> Value {
    let (group, elements) = (x.group!, subgroup.sorted())
    var order: [Int] = []
    for r in 0..<group.order where !order.contains(r) { order += elements.map { group.product($0, r) } }
    let moved = fibers(x, points: group.order) { point, read in read(order[point]) }
    var result = moved.with(
      channels: x.channels * group.order / elements.count, points: elements.count, moved.numbers)
    result.group = try! group.subgroup(elements)
    return result
  }

  private func induced(_ x: Value, _ group: PointGroup, _ stabilizer: [Int]) -> Value {
    let cosets = try! group.leftCosets(of: stabilizer)
    var result = fibers(x, points: group.order) { h, read in read(cosets[h]) }
    result.group = group
    return result
  }

  // MARK: - Space

  private func planes(_ x: Value, extents: [Int], _ value: ([Int], (([Int]) -> Double?)) -> Double) -> Value {
    let places = positions(extents)
    var result: [Double] = []
    for plane in 0..<x.numbers.count / x.volume {
      let read = { (at: [Int]) in flat(at, x.extents).map { x.numbers[plane * x.volume + $0] } }
      for place in places { result.append(value(place, read)) }
    }
    return x.with(extents: extents, result)
  }

  private func windows(_ x: Value, _ mode: PoolMode, _ kernel: [Int], _ stride: [Int], _ padding: [Int]) -> Value {
    let extents = kernel.indices.map { (x.extents[$0] + 2 * padding[$0] - kernel[$0]) / stride[$0] + 1 }
    let window = positions(kernel)
    return planes(x, extents: extents) { place, read in
      let values = window.map { u in read(u.indices.map { stride[$0] * place[$0] + u[$0] - padding[$0] }) }
      return mode == .max
        ? values.compactMap { $0 }.max()! : values.reduce(0) { $0 + ($1 ?? 0) } / Double(window.count)
    }
  }

  private func upsampled(_ x: Value, _ mode: NetworkOperation.UpsampleMode, _ factors: [Int]) -> Value {
    let extents = factors.indices.map { x.extents[$0] * factors[$0] }
    return planes(x, extents: extents) { place, read in
      guard case .linear(let aligns) = mode else { return read(place.indices.map { place[$0] / factors[$0] })! }
      var corners: [(at: [Int], weight: Double)] = [([], 1)]
      for axis in factors.indices {
        let n = x.extents[axis]
        var position = 0.0
        if !aligns {
          position = max(0, (Double(place[axis]) + 0.5) / Double(factors[axis]) - 0.5)
        } else if extents[axis] > 1 {
          position = Double(place[axis] * (n - 1)) / Double(extents[axis] - 1)
        }
        let low = min(Int(position), n - 1)
        let part = position - Double(low)
        let before = corners
        corners = before.map { (at: $0.at + [low], weight: $0.weight * (1 - part)) }
        corners += before.map { (at: $0.at + [min(low + 1, n - 1)], weight: $0.weight * part) }
      }
      return corners.reduce(0) { $0 + $1.weight * read($1.at)! }
    }
  }
}

/// All positions of a box, the last coordinate fastest.
private func positions(_ extents: [Int]) -> [[Int]] {
  extents.reduce([[]]) { places, extent in places.flatMap { place in (0..<extent).map { place + [$0] } } }
}

/// The row-major index of a position; nil outside.
private func flat(_ at: [Int], _ extents: [Int]) -> Int? {
  var index = 0
  for (place, extent) in zip(at, extents) {
    if place < 0 || place >= extent { return nil }
    index = index * extent + place
  }
  return index
}

/// The largest of some numbers, infinity where one is none.
func largest(_ numbers: [Double]) -> Double { numbers.reduce(0) { $1.isNaN ? .infinity : max($0, $1) } }
