#include "framework/state/state.h"

#include <ATen/core/Generator.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "framework/error.h"
#include "framework/files/json.h"
#include "framework/registry/registry.h"
#include "framework/torch.h"

namespace vitrine {
namespace {

void list_state(Stateful& it, State& state) {
  const auto* registered = dynamic_cast<const Registered*>(&it);
  in_component(registered ? registered->component() : nullptr, "state", [&] { it.state(state); });
}

constexpr const char* kTensor = "tensor";  // where one stands: "cpu", "device", null for none
constexpr const char* kHex = "hex";        // of a text that is not ASCII

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
}

std::string to_hex(const std::string& text) {
  std::string out;
  for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string from_hex(const std::string& digits) {
  std::string out;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return out;
}

}  // namespace

Kept Kept::copied() const {
  Kept out{values, {}};
  for (const auto& [path, tensor] : tensors) out.tensors[path] = tensor.detach().clone();
  return out;
}

bool is_same_bits(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  const Tensor left = a.detach().cpu().contiguous(), right = b.detach().cpu().contiguous();
  return left.nbytes() == 0 ||
         std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0;
}

bool is_same(const Kept& a, const Kept& b) {
  if (a.values != b.values || a.tensors.size() != b.tensors.size()) return false;
  return std::all_of(a.tensors.begin(), a.tensors.end(), [&](const auto& item) {
    const auto other = b.tensors.find(item.first);
    return other != b.tensors.end() && is_same_bits(item.second, other->second);
  });
}

KeptMeanwhile::~KeptMeanwhile() {
  try {
    if (!stays_ && has_changed()) State::restore(it_, before_);
  } catch (const std::exception&) {
    // What cannot take back its own state is found where it is resumed.
  }
}

Kept State::of(Stateful& it) {
  Kept out;
  State state;
  state.out_ = &out;
  state.here_ = &out.values;
  list_state(it, state);
  return out;
}

Unmatched State::restore_to(Stateful& it, const Kept& kept, std::optional<at::Device> device) {
  State state;
  state.in_ = &kept;
  state.device_ = device;
  Json values = kept.values;
  state.here_ = &values;
  if (!values.is_object()) state.refuse("a mapping");
  list_state(it, state);
  state.note_unknown(values, state.listed_);
  return state.unmatched_;
}

Unmatched State::restore(Stateful& it, const Kept& kept, at::Device device) {
  return restore_to(it, kept, device);
}
Unmatched State::restore(Stateful& it, const Kept& kept) {
  return restore_to(it, kept, std::nullopt);
}

State::Below::Below(State& state, Json& here, const std::string& name)
    : state_(state), here_(state.here_), path_(state.path_) {
  state.here_ = &here;
  state.path_ += (path_.empty() ? "" : "/") + name;
  state.listed_.swap(listed_);
}
State::Below::~Below() {
  state_.here_ = here_;
  state_.path_ = path_;
  state_.listed_.swap(listed_);
}

State::Json* State::enter(const std::string& name) {
  const std::string path = path_.empty() ? name : path_ + "/" + name;
  if (std::find(listed_.begin(), listed_.end(), name) != listed_.end())
    throw Error(ExitCode::kInternal, "a state lists " + escape(path) + " twice");
  listed_.push_back(name);
  if (is_writing()) return &(*here_)[name];
  const auto found = here_->find(name);
  if (found != here_->end()) return &*found;
  unmatched_.missing.push_back(path);
  return nullptr;
}

void State::note_unknown(const Json& object, const std::vector<std::string>& known) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      unmatched_.unknown.push_back(path_.empty() ? name : path_ + "/" + name);
  }
}

void State::refuse(const std::string& expected) const {
  std::string got = here_->dump(-1, ' ', true, Json::error_handler_t::replace);
  if (got.size() > 40) got = got.substr(0, 40) + "...";
  throw Error(ExitCode::kCheckpoint,
              fmt::format("{}: expected {}, got {}", escape(path_), expected, escape(got)));
}

void State::keep_bool(bool& value) {
  if (is_writing()) return void(*here_ = value);
  if (!here_->is_boolean()) refuse("true or false");
  value = here_->get<bool>();
}

void State::keep_integer(int64_t& value, int64_t smallest, int64_t largest) {
  if (is_writing()) return void(*here_ = value);
  value = json_integer(*here_, path_, smallest, largest);
}

void State::keep_unsigned(uint64_t& value) {
  if (is_writing()) return void(*here_ = value);
  if (!here_->is_number_unsigned()) refuse("a whole number of at least 0");
  value = here_->get<uint64_t>();
}

// JSON has no infinities and no NaN.
void State::keep_number(double& value) {
  if (is_writing()) {
    if (std::isfinite(value)) return void(*here_ = value);
    return void(*here_ = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
  }
  const double kInfinity = std::numeric_limits<double>::infinity();
  if (*here_ == "nan") return void(value = std::numeric_limits<double>::quiet_NaN());
  if (*here_ == "inf") return void(value = kInfinity);
  if (*here_ == "-inf") return void(value = -kInfinity);
  value = json_number(*here_, path_);
}

void State::keep_text(std::string& value) {
  if (is_writing()) {
    if (is_ascii(value)) return void(*here_ = value);
    return void(*here_ = {{kHex, to_hex(value)}});
  }
  const bool is_hex = here_->is_object() && here_->contains(kHex) && here_->at(kHex).is_string();
  if (!is_hex) return void(value = json_string(*here_, path_));
  const std::string digits = here_->at(kHex);
  if (digits.find_first_not_of("0123456789abcdef") != digits.npos) refuse("hex digits");
  value = from_hex(digits);
}

void State::keep_tensor(Tensor& value) {
  if (is_writing()) {
    *here_ = {{kTensor, nullptr}};
    if (!value.defined()) return;
    (*here_)[kTensor] = value.is_cpu() ? "cpu" : "device";
    out_->tensors[path_] = value;
    return;
  }
  if (!here_->is_object() || !here_->contains(kTensor)) refuse("a tensor");
  if (here_->at(kTensor).is_null()) return void(value = Tensor());
  const auto found = in_->tensors.find(path_);
  if (found == in_->tensors.end()) refuse("a tensor that is there");
  const at::NoGradGuard no_grad;
  Tensor kept = found->second;
  const bool fits =
      value.defined() && value.sizes() == kept.sizes() && value.scalar_type() == kept.scalar_type();
  if (fits) return void(value.copy_(kept));  // others may look at it
  kept = kept.detach().clone();
  value = device_ && here_->at(kTensor) != "cpu" ? kept.to(*device_) : kept;
}

void State::keep_generator(at::Generator& value) {
  Tensor state;
  if (is_writing()) {
    if (value.defined()) state = value.get_state();
    return keep_tensor(state);
  }
  keep_tensor(state);
  if (state.defined() != value.defined()) refuse(value.defined() ? "a generator" : "no generator");
  if (!value.defined()) return;
  try {
    value.set_state(state);
  } catch (const c10::Error&) {
    refuse("the state of a generator");
  }
}

void State::keep_module(torch::nn::Module& value) {
  if (is_writing()) *here_ = Json::object();
  if (!here_->is_object()) refuse("a mapping");
  const auto keep_own = [&](const std::string& name, const Tensor& own) {
    Tensor tensor = own;
    (*this)(name, tensor);
    if (!tensor.is_same(own)) refuse("tensors of its own shapes");
  };
  for (const auto& item : value.named_parameters()) keep_own(item.key(), item.value());
  for (const auto& item : value.named_buffers()) keep_own(item.key(), item.value());
  for (const auto& item : value.named_modules()) {
    auto* it = dynamic_cast<Stateful*>(item.value().get());
    if (!it || (is_writing() && of(*it).empty())) continue;
    const std::string name = "state of " + (item.key().empty() ? "it" : item.key());
    if (!is_writing() && of(*it).empty()) continue;
    Json* here = enter(name);
    if (!here) continue;
    const Below below(*this, *here, name);
    keep_object(*it);
  }
  if (!is_writing()) note_unknown(*here_, listed_);
}

void State::write_numbers(const void* data, size_t count, at::ScalarType type) {
  Tensor numbers = at::empty({static_cast<int64_t>(count)}, type);
  if (count > 0) std::memcpy(numbers.data_ptr(), data, numbers.nbytes());
  keep_tensor(numbers);
}

Tensor State::read_numbers(at::ScalarType type) {
  Tensor out;
  keep_tensor(out);
  if (!out.defined() || out.dim() != 1 || out.scalar_type() != type)
    refuse(fmt::format("a row of {}", c10::toString(type)));
  return out.cpu().contiguous();
}

size_t State::array_size(size_t written) {
  if (is_writing()) *here_ = Json(Json::array_t(written));
  if (!here_->is_array()) refuse("a list");
  return here_->size();
}

}  // namespace vitrine
