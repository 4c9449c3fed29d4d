#pragma once

#include <algorithm>
#include <limits>
#include <locale>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/tensor.h"

namespace at {
struct Generator;
}
namespace torch::nn {
class Module;
}

namespace vitrine {

class State;

// What may keep something from step to step besides parameters and buffers: every component. It
// lists all of that once, always the same names in the same order:
//   void state(State& state) override {
//     state("count", count_);
//     state("mean", mean_);      // a tensor, which may be undefined
//     state("engine", engine_);  // std::mt19937
//   }
// Checkpoints are written from the list and restored by it, before anything is drawn.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual void state(State& /*state*/) {}
};

// What was listed: numbers and texts as JSON, tensors by their paths in it ("mean", "moments/0").
struct Kept {
  nlohmann::json values = nlohmann::json::object();
  std::map<std::string, Tensor> tensors;

  bool empty() const { return values.empty(); }
  Kept copied() const;  // with tensors of its own
};
// Bit for bit.
bool is_same(const Kept& a, const Kept& b);
bool is_same_bits(const Tensor& a, const Tensor& b);

// What a component lists and what was kept of it, where these differ.
struct Unmatched {
  std::vector<std::string> missing;  // was not kept: it stays as it was made
  std::vector<std::string> unknown;  // is listed no more
};

// Takes the list, either to write what it names or to give it back. Taken are numbers, bools,
// enums, strings, tensors, generators of libtorch, engines and distributions of <random>, whatever
// lists a state of its own, modules (with parameters and buffers), and std::optional, pointers,
// pairs, arrays, vectors, deques, sets and maps of these.
class State {
 public:
  template <class T>
  void operator()(const std::string& name, T& value);

  // What `it` lists; tensors are its own.
  static Kept of(Stateful& it);
  // Gives it back: tensors in place where they have its shape. `device`: where those belong that
  // are not on the CPU. Throws Error(kCheckpoint) for what is no state of `it`.
  static Unmatched restore(Stateful& it, const Kept& kept, at::Device device);
  static Unmatched restore(Stateful& it, const Kept& kept);  // each where it was

 private:
  using Json = nlohmann::json;

  State() = default;
  bool is_writing() const { return out_ != nullptr; }
  Json* enter(const std::string& name);  // null: it is to be left alone
  [[noreturn]] void refuse(const std::string& expected) const;
  void note_unknown(const Json& object, const std::vector<std::string>& known);
  static Unmatched restore_to(Stateful& it, const Kept& kept, std::optional<at::Device> device);

  // Is at a value below the present one until it goes.
  class Below {
   public:
    Below(State& state, Json& here, const std::string& name);
    ~Below();
    Below(const Below&) = delete;
    Below& operator=(const Below&) = delete;

   private:
    State& state_;
    Json* here_;
    std::string path_;
    std::vector<std::string> listed_;
  };

  void keep_bool(bool& value);
  void keep_integer(int64_t& value, int64_t smallest, int64_t largest);
  void keep_unsigned(uint64_t& value);
  void keep_number(double& value);
  void keep_text(std::string& value);
  void keep_tensor(Tensor& value);
  void keep_generator(at::Generator& value);
  void keep_module(torch::nn::Module& value);
  // Numbers in a row, as a tensor.
  void write_numbers(const void* data, size_t count, at::ScalarType type);
  Tensor read_numbers(at::ScalarType type);
  size_t array_size(size_t written);  // of an array, which is begun where it is written
  template <class T>
  void keep(T& value);
  template <class T>
  void keep_sequence(T& values);
  template <class T>
  void keep_stream(T& value);
  template <class T>
  void keep_pointer(T& value);
  template <class T>
  void keep_items(T& values);
  template <class T>
  void keep_entries(T& values);
  template <class T>
  void keep_item(size_t index, T& value);
  template <class T>
  void keep_object(T& value);

  Kept* out_ = nullptr;       // where it is written
  const Kept* in_ = nullptr;  // else
  Json* here_ = nullptr;
  std::string path_;
  std::vector<std::string> listed_;  // of the object at hand
  std::optional<at::Device> device_;
  Unmatched unmatched_;
};

// What a component keeps now; put back as it goes, where it has changed.
class KeptMeanwhile {
 public:
  explicit KeptMeanwhile(Stateful& it) : it_(it), before_(State::of(it).copied()) {}
  ~KeptMeanwhile();
  KeptMeanwhile(const KeptMeanwhile&) = delete;
  KeptMeanwhile& operator=(const KeptMeanwhile&) = delete;

  bool has_changed() const { return !is_same(before_, State::of(it_)); }
  void stay() { stays_ = true; }  // as it is now, when it goes

 private:
  Stateful& it_;
  Kept before_;
  bool stays_ = false;
};

// --- implementation of the templates

template <class T>
concept ListsState = requires(T& value, State& state) {
  value.state(state);
};
template <class T>
concept IsPointer = requires(T& value) {
  typename T::element_type;
  *value;
  value.get();
};
template <class T>
concept IsTuple = requires {
  std::tuple_size<T>::value;
};
template <class T>
concept IsMap = requires {
  typename T::mapped_type;
  typename T::key_compare;
};
template <class T>
concept IsSet = requires {
  typename T::key_compare;
}
&&!IsMap<T>;
template <class T>
concept IsSequence = requires(T& values) {
  typename T::value_type;
  values.begin();
  values.resize(size_t{1});
};
template <class T>
concept IsStreamed = requires(std::ostream& out, std::istream& in, T& value) {
  out << value;
  in >> value;
};
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_unsupported = false;

template <class T>
void State::operator()(const std::string& name, T& value) {
  Json* here = enter(name);
  if (!here) return;
  const Below below(*this, *here, name);
  keep(value);
}

template <class T>
void State::keep(T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    keep_bool(value);
  } else if constexpr (std::is_enum_v<T>) {
    auto number = static_cast<std::underlying_type_t<T>>(value);
    keep(number);
    value = static_cast<T>(number);
  } else if constexpr (std::is_same_v<T, uint64_t> || std::is_same_v<T, unsigned long long>) {
    uint64_t number = value;
    keep_unsigned(number);
    value = number;
  } else if constexpr (std::is_integral_v<T>) {
    int64_t number = value;
    keep_integer(number, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    value = static_cast<T>(number);
  } else if constexpr (std::is_floating_point_v<T>) {
    static_assert(sizeof(T) <= sizeof(double), "a state keeps double, not long double");
    double number = value;
    keep_number(number);
    value = static_cast<T>(number);
  } else if constexpr (std::is_same_v<T, std::string>) {
    keep_text(value);
  } else if constexpr (std::is_same_v<T, Tensor>) {
    keep_tensor(value);
  } else if constexpr (std::is_same_v<T, at::Generator>) {
    keep_generator(value);
  } else if constexpr (std::is_base_of_v<torch::nn::Module, T>) {
    keep_module(value);
  } else if constexpr (ListsState<T>) {
    keep_object(value);
  } else if constexpr (is_optional<T>) {
    if (const size_t size = array_size(value.has_value()); !is_writing())
      size == 0 ? value.reset() : void(value.emplace());
    if (value) keep_item(0, *value);
  } else if constexpr (IsPointer<T>) {
    keep_pointer(value);
  } else if constexpr (IsMap<T>) {
    keep_entries(value);
  } else if constexpr (IsSet<T>) {
    std::vector<typename T::value_type> items(value.begin(), value.end());
    keep_sequence(items);
    value = T(items.begin(), items.end());
  } else if constexpr (IsSequence<T>) {
    keep_sequence(value);
  } else if constexpr (IsTuple<T>) {
    if (array_size(std::tuple_size_v<T>) != std::tuple_size_v<T>)
      refuse(std::to_string(std::tuple_size_v<T>) + " values");
    size_t index = 0;
    std::apply([&](auto&... each) { (keep_item(index++, each), ...); }, value);
  } else if constexpr (IsStreamed<T>) {
    keep_stream(value);
  } else {
    static_assert(
        is_unsupported<T>,
        "a state keeps no value of this type; give it void state(State&), or list what "
        "it consists of (an unordered container keeps no order: take std::map, std::set)");
  }
}

template <class T>
void State::keep_sequence(T& values) {
  using Value = typename T::value_type;
  if constexpr (std::is_arithmetic_v<Value> && sizeof(Value) <= 8) {
    using Stored = std::conditional_t<std::is_same_v<Value, bool>, uint8_t, Value>;
    constexpr at::ScalarType kType = std::is_floating_point_v<Value>
                                         ? (sizeof(Value) == 4 ? at::kFloat : at::kDouble)
                                     : sizeof(Value) == 1 ? at::kByte
                                     : sizeof(Value) == 2 ? at::kShort
                                     : sizeof(Value) == 4 ? at::kInt
                                                          : at::kLong;
    if (is_writing()) {
      const std::vector<Stored> numbers(values.begin(), values.end());
      return write_numbers(numbers.data(), numbers.size(), kType);
    }
    const Tensor numbers = read_numbers(kType);
    const auto* first = static_cast<const Stored*>(numbers.const_data_ptr());
    values = T(first, first + numbers.numel());
  } else {
    keep_items(values);
  }
}

// Engines and distributions of <random> write and read all that they are.
template <class T>
void State::keep_stream(T& value) {
  if (is_writing()) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(std::numeric_limits<long double>::max_digits10);
    out << value;
    return write_numbers(out.str().data(), out.str().size(), at::kByte);
  }
  const Tensor bytes = read_numbers(at::kByte);
  std::istringstream in(std::string(static_cast<const char*>(bytes.const_data_ptr()),
                                    static_cast<size_t>(bytes.numel())));
  in.imbue(std::locale::classic());
  T read = value;
  if (!(in >> read)) refuse("the text of such an engine");
  value = read;
}

template <class T>
void State::keep_pointer(T& value) {
  using Element = typename T::element_type;
  const size_t size = array_size(value ? 1 : 0);
  if (size == 0) value.reset();
  if (size > 0 && !value) {
    if constexpr (std::is_default_constructible_v<Element>) {
      value.reset(new Element());
    } else {
      refuse("nothing");
    }
  }
  if (value) keep_item(0, *value);
}

template <class T>
void State::keep_items(T& values) {
  const size_t size = array_size(values.size());
  if (size != values.size()) {
    if constexpr (std::is_default_constructible_v<typename T::value_type>) {
      values.resize(size);
    } else {
      refuse(std::to_string(values.size()) + " values");
    }
  }
  size_t index = 0;
  for (auto& value : values) keep_item(index++, value);
}

template <class T>
void State::keep_entries(T& values) {
  using Entry = std::pair<typename T::key_type, typename T::mapped_type>;
  std::vector<Entry> entries;
  if (is_writing()) entries.assign(values.begin(), values.end());
  keep_items(entries);
  if (!is_writing()) values = T(entries.begin(), entries.end());
}

template <class T>
void State::keep_item(size_t index, T& value) {
  const Below below(*this, here_->at(index), std::to_string(index));
  keep(value);
}

template <class T>
void State::keep_object(T& value) {
  if (is_writing()) *here_ = Json::object();
  if (!here_->is_object()) refuse("a mapping");
  value.state(*this);
  if (!is_writing()) note_unknown(*here_, listed_);
}

}  // namespace vitrine
