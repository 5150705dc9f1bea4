// SPDX-License-Identifier: Apache-2.0
// A trained network that is one file, for C++17: a handle that closes itself, errors as exceptions.
#ifndef EQUICONV_EXAMPLE_NETWORK_HPP
#define EQUICONV_EXAMPLE_NETWORK_HPP

#include <equiconv.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace equiconv {

/// The status and the message of a call that failed.
class error : public std::runtime_error {
public:
  error(equiconv_status status, const std::string &message) : std::runtime_error(message), status(status) {}
  equiconv_status status;
};

/// Makes one call, which gets a place for its own status and message.
template <typename Function> void checked(Function function) {
  equiconv_call call = EQUICONV_CALL_INIT;
  const equiconv_status status = function(&call);
  if (status != EQUICONV_SUCCESS) {
    throw error(status, std::string(equiconv_status_name(status)) + ": " + call.message);
  }
}

/// Numbers with a shape, the last axis fastest.
struct array {
  std::vector<int64_t> shape;
  std::vector<float> numbers;
};

/// A trained network. Threads may share it, and run it at the same time.
class network {
public:
  explicit network(const std::string &path, equiconv_network_mode mode = EQUICONV_NETWORK_FAST) {
    equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
    options.mode = mode;
    equiconv_network *opened = nullptr;
    checked(
        [&](equiconv_call *call) { return equiconv_network_open_with_call(path.c_str(), &options, &opened, call); });
    handle_.reset(opened);
  }

  /// All outputs for an input of a shape.
  std::vector<array> run(const std::vector<int64_t> &shape, const std::vector<float> &input) const {
    const equiconv_shape input_shape = shape_of(shape);
    if (static_cast<int64_t>(input.size()) != count(shape)) {
      throw std::invalid_argument("input has " + std::to_string(input.size()) +
                                  " numbers, expected those of its shape");
    }
    std::vector<array> outputs(static_cast<size_t>(equiconv_network_output_count(handle_.get())));
    std::vector<void *> places;
    for (size_t i = 0; i < outputs.size(); i++) {
      equiconv_shape result;
      checked([&](equiconv_call *call) {
        return equiconv_network_get_output_shape_with_call(handle_.get(), static_cast<int32_t>(i), &input_shape,
                                                           &result, call);
      });
      outputs[i].shape.assign(result.sizes, result.sizes + result.rank);
      outputs[i].numbers.resize(static_cast<size_t>(count(outputs[i].shape)));
      places.push_back(outputs[i].numbers.data());
    }
    checked([&](equiconv_call *call) {
      return equiconv_network_run_with_call(handle_.get(), EQUICONV_FLOAT32, &input_shape, input.data(), places.data(),
                                            static_cast<int32_t>(places.size()), call);
    });
    return outputs;
  }

  /// The name of a class of the first output; "" if it has none.
  std::string class_name(int64_t channel) const {
    const char *name = equiconv_network_class_name(handle_.get(), 0, channel);
    return name == nullptr ? "" : name;
  }

private:
  static equiconv_shape shape_of(const std::vector<int64_t> &sizes) {
    if (sizes.size() > EQUICONV_MAX_RANK) throw std::invalid_argument("a shape has at most 6 sizes");
    equiconv_shape shape = {static_cast<int32_t>(sizes.size()), {1, 1, 1, 1, 1, 1}};
    for (size_t axis = 0; axis < sizes.size(); axis++) shape.sizes[axis] = sizes[axis];
    return shape;
  }

  static int64_t count(const std::vector<int64_t> &shape) {
    int64_t product = 1;
    for (const int64_t size : shape) product *= size;
    return product;
  }

  struct closes {
    void operator()(equiconv_network *network) const { equiconv_network_close(network); }
  };
  std::unique_ptr<equiconv_network, closes> handle_;
};

} // namespace equiconv

#endif
