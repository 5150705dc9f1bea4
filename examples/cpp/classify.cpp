// SPDX-License-Identifier: Apache-2.0
// Classifies an image, binary PGM or PPM on standard input, by a network that is one file; see CMakeLists.txt.
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>

#include "network.hpp"

namespace {

/// The shape (1, channels, rows, columns) of an image, and its planes of numbers from 0 to 255.
equiconv::array read_planes(std::istream &source) {
  char letter = 0, kind = 0;
  int64_t columns = 0, rows = 0, most = 0;
  source >> letter >> kind >> columns >> rows >> most;
  source.get();
  if (!source || letter != 'P' || (kind != '5' && kind != '6') || most != 255 || columns < 1 || columns > 99999 ||
      rows < 1 || rows > 99999) {
    throw std::runtime_error("expected a binary PGM or PPM of 8 bits, without comments");
  }
  const int64_t channels = kind == '5' ? 1 : 3, pixels = rows * columns;
  equiconv::array image = {{1, channels, rows, columns}, std::vector<float>(static_cast<size_t>(channels * pixels))};
  for (int64_t i = 0; i < channels * pixels; i++) {
    const int byte = source.get();
    if (byte == EOF) throw std::runtime_error("the image is cut short");
    image.numbers[static_cast<size_t>(i % channels * pixels + i / channels)] = static_cast<float>(byte);
  }
  return image;
}

} // namespace

int main(int argc, char **argv) {
  try {
    if (argc != 2) throw std::runtime_error("usage: classify NETWORK <IMAGE.ppm");
    const equiconv::network network(argv[1]);
    const equiconv::array image = read_planes(std::cin);
    const std::vector<float> scores = network.run(image.shape, image.numbers).front().numbers;
    for (size_t i = 0; i < scores.size(); i++) {
      std::printf("%-12s %.9g\n", network.class_name(static_cast<int64_t>(i)).c_str(), static_cast<double>(scores[i]));
    }
    return 0;
  } catch (const std::exception &problem) {
    std::cerr << problem.what() << '\n';
    return 1;
  }
}
