#include "framework/training/weights.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <regex>
#include <set>

#include "framework/files/file.h"
#include "framework/files/sha256.h"
#include "framework/model/layout.h"
#include "framework/model/tensors.h"
#include "framework/training/adapted_channels.h"
#include "framework/training/model_file.h"
#include "framework/training/weights_file.h"

namespace vitrine {
namespace {

using Tensors = std::map<std::string, Tensor>;

std::string shape_of(const Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

std::string described(const std::string& name, const Tensor& tensor) {
  return escape(name) + " " + shape_of(tensor);
}

std::vector<std::string> described(const Tensors& tensors) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors) out.push_back(described(name, tensor));
  return out;
}

// --- whose names they are

struct Reading {
  std::string prefix;
  std::optional<ModelLayout> layout;
  size_t known = 0;  // names of the file that it expects
};

// What programs that wrap models put before their names, in any order.
std::vector<std::string> possible_prefixes(const Tensors& file) {
  constexpr const char* kKnown[] = {"module.", "_orig_mod.", "model."};
  std::vector<std::string> out = {""};
  for (size_t i = 0; i < out.size() && out.size() < 50; ++i) {
    for (const char* known : kKnown) {
      const std::string prefix = out[i] + known;
      const auto first = file.lower_bound(prefix);
      if (first != file.end() && first->first.starts_with(prefix)) out.push_back(prefix);
    }
  }
  return out;
}

std::vector<std::string> possible_layouts(const WeightsOptions& options) {
  if (options.layout) return {*options.layout};
  return Registry::instance().names(Layout::kKind);
}

// The layout and prefix under which most names are known; of equals the model's own names.
Reading recognise(const LayoutContext& context, const Tensors& file,
                  const WeightsOptions& options) {
  const auto prefixes = options.prefix ? std::vector{*options.prefix} : possible_prefixes(file);
  Reading best;
  for (const std::string& name : possible_layouts(options)) {
    const ModelLayout layout(name, context);
    for (const std::string& prefix : prefixes) {
      size_t known = 0;
      for (const LayoutEntry& entry : layout.entries()) {
        for (const std::string& theirs : entry.theirs) known += file.contains(prefix + theirs);
      }
      const bool is_better = known > best.known || (known == best.known && layout.is_own());
      if (!best.layout || is_better) best = {prefix, layout, known};
    }
  }
  return best;
}

// --- one tensor after the other

class Fitting {
 public:
  // `channels`: of the images that the file's model is for, where that is known.
  Fitting(const LayoutContext& context, const ModelLayout& layout, const Tensors& theirs,
          const std::vector<std::string>& skip, std::optional<int64_t> channels)
      : context_(context), layout_(layout), theirs_(theirs), skip_(skip), channels_(channels) {
    for (const LayoutEntry& entry : layout.entries()) take(entry);
    renew_heads();
    look_at_rest();
  }

  const Tensors& values() const { return values_; }  // in our names and shapes
  const LoadedWeights& outcome() const { return outcome_; }

  // What does not fit, a line each; empty where all does.
  std::string misfits() const {
    std::string out;
    for (const std::string& line : shortened(wrong_)) out += "\n  " + line;
    if (!missing_.empty()) out += "\n  missing in the file: " + some_of(missing_, ", ");
    if (!left_over_.empty()) out += "\n  left over in the file: " + some_of(left_over_, ", ");
    if (!out.empty()) out += "\n  model.weights.skip takes patterns of what is to stay new";
    return out;
  }

  // The first pattern of `skip` that fits nothing on either side.
  std::optional<std::string> idle_pattern() const {
    for (const std::string& pattern : skip_) {
      const auto fits = [&](const std::string& name) { return fits_any(name, {pattern}); };
      if (std::none_of(skippable_.begin(), skippable_.end(), fits)) return pattern;
    }
    return std::nullopt;
  }

 private:
  static std::vector<std::string> shortened(std::vector<std::string> lines) {
    constexpr size_t kMost = 8;
    if (lines.size() <= kMost) return lines;
    const size_t more = lines.size() - kMost;
    lines.resize(kMost);
    lines.push_back(fmt::format("and {} more", more));
    return lines;
  }

  bool is_weight(const std::string& ours) const { return context_.weights.contains(ours); }
  const Tensor& target_of(const std::string& ours) const {
    return is_weight(ours) ? context_.weights.at(ours) : context_.computed.at(ours);
  }

  void take(const LayoutEntry& entry) {
    used_.insert(entry.theirs.begin(), entry.theirs.end());
    skippable_.insert(entry.ours);
    if (fits_any(entry.ours, skip_)) {
      if (is_weight(entry.ours)) outcome_.fresh.push_back(entry.ours);
      return;
    }
    std::vector<Tensor> parts;
    for (const std::string& name : entry.theirs) {
      const auto found = theirs_.find(name);
      if (found == theirs_.end()) {
        if (!is_of_absent_head(entry)) missing_.push_back(missing(name, entry));
      } else if (Tensor part = fitted(name, found->second, entry); part.defined()) {
        parts.push_back(std::move(part));
      }
    }
    if (parts.size() < entry.theirs.size()) return;
    const Tensor& target = target_of(entry.ours);
    Tensor value = parts.size() == 1 ? parts[0] : at::cat(parts);
    value = value.reshape(target.sizes());
    if (is_weight(entry.ours)) {
      values_[entry.ours] = value;
    } else if (!at::allclose(value.to(at::kFloat), target, 0, 1e-5)) {
      wrong_.push_back(fmt::format("{} is another table than the {} that the model computes",
                                   described(entry.theirs[0], theirs_.at(entry.theirs[0])),
                                   entry.ours));
    }
  }

  std::string missing(const std::string& name, const LayoutEntry& entry) const {
    std::string out = fmt::format("{} [{}]", escape(name), fmt::join(entry.shape, ", "));
    return name == entry.ours ? out : out + " (here " + entry.ours + ")";
  }

  // A tensor of theirs in the shape that the layout gives it for this model; undefined where it
  // does not fit.
  Tensor fitted(const std::string& name, const Tensor& tensor, const LayoutEntry& entry) {
    const bool is_real = tensor.is_floating_point();
    if (is_real && tensor.sizes() == at::IntArrayRef(entry.shape)) return tensor;
    if (!target_of(entry.ours).is_floating_point() &&
        tensor.sizes() == at::IntArrayRef(entry.shape))
      return tensor;
    Tensor out;
    if (is_real && is_weight(entry.ours)) out = converted(tensor, entry);
    if (!out.defined() && !is_of_new_head(name, tensor, entry)) {
      wrong_.push_back(fmt::format(
          "{}{} in the file, {} [{}] here{}", described(name, tensor),
          is_real ? "" : fmt::format(" of type {}", c10::toString(tensor.scalar_type())),
          escape(entry.ours), fmt::join(entry.shape, ", "),
          entry.theirs.size() > 1 ? fmt::format(", {} of them", entry.theirs.size()) : ""));
    }
    return out;
  }

  Tensor converted(const Tensor& tensor, const LayoutEntry& entry) {
    if (entry.ours == context_.input) return of_our_channels(tensor, entry);
    const auto conversion = context_.conversions.find(entry.ours);
    if (conversion == context_.conversions.end()) return {};
    auto out = conversion->second(tensor);
    if (!out) return {};
    outcome_.messages.push_back(entry.ours + ": " + out->message);
    return out->value;
  }

  Tensor of_our_channels(const Tensor& tensor, const LayoutEntry& entry) {
    const Tensor& target = context_.weights.at(context_.input);
    const auto& shape = entry.shape;
    const int64_t here = context_.channels;
    const bool is_like = here > 0 && tensor.dim() == static_cast<int64_t>(shape.size()) &&
                         tensor.dim() > 1 && tensor.size(0) == shape[0] &&
                         tensor.sizes().slice(2) == at::IntArrayRef(shape).slice(2);
    if (!is_like) return {};
    const int64_t for_each = target.numel() / target.size(0) / here;
    const int64_t columns = tensor.numel() / tensor.size(0), there = columns / for_each;
    if (there < 1 || columns % for_each != 0) return {};
    // Where a patch is one row of numbers, more of them may mean larger patches as well.
    const bool is_plain = channels_ ? there == *channels_ : there == 1 || there == 3;
    if (tensor.dim() == 2 && !is_plain) return {};
    outcome_.messages.push_back(fmt::format("{}: {} channels are {} {}", context_.input, there,
                                            here == 1 ? "summed to" : "repeated and scaled for",
                                            here));
    return adapted_channels(tensor.to(at::kFloat), there, here);
  }

  std::string head_of(const std::string& ours) const {
    for (const std::string& head : context_.heads) {
      if (ours.starts_with(head)) return head;
    }
    return "";
  }

  // Whether it belongs to a head for another number of classes, which then is new here.
  bool is_of_new_head(const std::string& name, const Tensor& tensor, const LayoutEntry& entry) {
    const std::string head = head_of(entry.ours);
    const at::IntArrayRef shape(entry.shape);
    if (head.empty() || tensor.dim() == 0 || tensor.sizes().slice(1) != shape.slice(1))
      return false;
    if (new_heads_.insert(head).second) {
      outcome_.messages.push_back(
          fmt::format("{} is new: {} in the file, {} here", head.substr(0, head.size() - 1),
                      described(name, tensor), described(entry.ours, target_of(entry.ours))));
    }
    return true;
  }

  // Whether it belongs to a head of which the file has nothing: it is of a model that was trained
  // to predict nothing.
  bool is_of_absent_head(const LayoutEntry& entry) {
    const std::string head = head_of(entry.ours);
    const auto is_of_head = [&](const auto& item) {
      return layout_.our_name(item.first).value_or(item.first).starts_with(head);
    };
    if (head.empty() || std::any_of(theirs_.begin(), theirs_.end(), is_of_head)) return false;
    if (new_heads_.insert(head).second) {
      outcome_.messages.push_back(
          fmt::format("{} is new: the file has none", head.substr(0, head.size() - 1)));
    }
    return true;
  }

  // A head is new as a whole.
  void renew_heads() {
    for (const auto& [name, tensor] : context_.weights) {
      if (!new_heads_.contains(head_of(name)) || fits_any(name, skip_)) continue;
      values_.erase(name);
      outcome_.fresh.push_back(name);
    }
  }

  void look_at_rest() {
    for (const auto& [name, tensor] : theirs_) {
      if (used_.contains(name)) continue;
      const std::string ours = layout_.our_name(name).value_or(name);
      skippable_.insert({ours, name});
      if (fits_any(ours, skip_) || fits_any(name, skip_) || new_heads_.contains(head_of(ours)))
        continue;
      left_over_.push_back(described(name, tensor));
    }
  }

  const LayoutContext& context_;
  const ModelLayout& layout_;
  const Tensors& theirs_;
  const std::vector<std::string>& skip_;
  std::optional<int64_t> channels_;
  Tensors values_;
  LoadedWeights outcome_;
  std::set<std::string> used_, skippable_, new_heads_;
  std::vector<std::string> wrong_, missing_, left_over_;
};

// The names, those of all blocks as one: "blocks.*.norm1.weight".
std::string pattern_names(const torch::OrderedDict<std::string, Tensor>& tensors) {
  std::vector<std::string> out;
  for (const auto& item : tensors) {
    const std::string name = std::regex_replace(item.key(), std::regex(R"(\.\d+\.)"), ".*.");
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return fmt::format("{}", fmt::join(out, ", "));
}

// --- the whole file

[[noreturn]] void refuse_weights(const std::string& file, const std::string& reason,
                                 ExitCode code = ExitCode::kCheckpoint) {
  throw Error(code, file + ": " + reason);
}

// Those that begin with the prefix, without it.
Tensors below(const std::string& prefix, const Tensors& all) {
  Tensors out;
  for (auto it = all.lower_bound(prefix); it != all.end() && it->first.starts_with(prefix); ++it)
    out[it->first.substr(prefix.size())] = it->second;
  return out;
}

// A place as messages call it: of a run's folder the file in it.
std::string where_of(const WeightsOptions& options) {
  const auto file = local_weights(options.file.value);
  return escape(file && !options.file.is_address() ? file->string() : options.file.value);
}

std::filesystem::path checked_file(const WeightsOptions& options) {
  const auto file = local_weights(options.file.value);
  if (!file) {
    std::error_code ignored;
    if (std::filesystem::is_directory(options.file.value, ignored))
      refuse_weights(where_of(options),
                     "the folder has no model.safetensors, as a run has that was tested");
    return options.file.value;  // what is wrong with it is said by whoever reads it
  }
  if (!options.sha256) return *file;
  const std::string digest = sha256_of_file(*file);
  if (digest == *options.sha256) return *file;
  refuse_weights(where_of(options),
                 fmt::format("wrong checksum: its SHA-256 is {}, model.weights.sha256 "
                             "is {}",
                             digest, *options.sha256));
}

// All keys with a plain value below `value`, by their paths.
void flatten(const nlohmann::ordered_json& value, const std::string& path,
             std::map<std::string, std::string>& out) {
  if (!value.is_object()) {
    out[path] = value.dump();
    return;
  }
  for (const auto& [key, below] : value.items())
    flatten(below, path.empty() ? key : path + "." + key, out);
}

// What a file of ours tells of its model; null of others.
nlohmann::ordered_json description_of(const Safetensors& file) {
  const auto text = file.metadata().find("vitrine");
  if (text == file.metadata().end()) return nullptr;
  const auto parsed = nlohmann::ordered_json::parse(text->second, nullptr, false);
  return parsed.is_object() ? parsed : nlohmann::ordered_json(nullptr);
}

std::optional<int64_t> channels_of(const nlohmann::ordered_json& description) {
  if (!description.is_object() || !description.contains("chw")) return std::nullopt;
  const auto& chw = description["chw"];
  if (!chw.is_array() || chw.empty() || !chw[0].is_number_integer()) return std::nullopt;
  return chw[0].get<int64_t>();
}

// What of the model is another than in the file, which names and shapes do not tell.
std::string other_options(const nlohmann::ordered_json& description, const LayoutContext& context) {
  if (!description.is_object() || !description.contains("model")) return "";
  std::map<std::string, std::string> there, here;
  flatten(description["model"], "", there);
  flatten(context.options.json(), "", here);
  std::vector<std::string> out;
  for (const auto& [key, value] : here) {
    const auto other = there.find(key);
    if (key.starts_with("weights") || other == there.end() || other->second == value) continue;
    out.push_back(fmt::format("{} was {} and is {}", key, escape(other->second), value));
  }
  return out.empty() ? "" : "another model than the one that was saved: " + some_of(out, ", ");
}

std::vector<std::string> said_of(const Reading& reading, const WeightsOptions& options,
                                 size_t others) {
  std::vector<std::string> out;
  std::string what;
  if (!options.layout && !reading.layout->is_own())
    what = "the layout is " + reading.layout->name();
  if (!options.prefix && !reading.prefix.empty())
    what += (what.empty() ? "" : ", ") + ("after the prefix " + reading.prefix);
  if (!what.empty()) out.push_back(what + ", by the names");
  if (others > 0)
    out.push_back(fmt::format("{} tensors without the prefix {} are left out", others,
                              escape(reading.prefix)));
  for (const std::string& unusual : reading.layout->unusual()) out.push_back(unusual);
  return out;
}

}  // namespace

LoadedWeights load_weights(Model& model, const WeightsOptions& options) {
  const std::string where = where_of(options);
  const std::filesystem::path path = checked_file(options);
  const Safetensors file = read_weights(path);
  const Tensors all = tensors_of(file);
  const LayoutContext context = model.layout_context();
  const Reading reading = recognise(context, all, options);
  const Tensors theirs = below(reading.prefix, all);
  const ModelLayout& layout = *reading.layout;
  if (options.prefix && theirs.empty()) {
    refuse_weights(where,
                   fmt::format("no name begins with model.weights.prefix \"{}\": there are {}",
                               escape(*options.prefix), some_of(described(all), ", ")),
                   ExitCode::kUsage);
  }
  if (reading.known == 0) {
    refuse_weights(
        where, fmt::format("no name is known: there are {}; the model has {}; the layouts are {}",
                           some_of(described(all), ", "), some_of(described(context.weights), ", "),
                           fmt::join(Registry::instance().names(Layout::kKind), ", ")));
  }
  if (const auto misfits = layout.misfits(options.skip); !misfits.empty()) {
    refuse_weights(where,
                   fmt::format("the layout \"{}\" has no equal of this model: {}", layout.name(),
                               fmt::join(misfits, "; ")),
                   ExitCode::kUsage);
  }
  const auto description = description_of(file);
  const Fitting fitting(context, layout, theirs, options.skip, channels_of(description));
  const std::string of_layout = layout.is_own() ? "" : ", in the layout " + layout.name();
  if (const std::string misfits = fitting.misfits(); !misfits.empty())
    refuse_weights(where, "the weights do not fit the model" + of_layout + ":" + misfits);
  if (const auto idle = fitting.idle_pattern()) {
    std::string names = pattern_names(model.named_parameters());
    if (!model.buffers().empty()) names += ", " + pattern_names(model.named_buffers());
    refuse_weights(where,
                   fmt::format("model.weights.skip: \"{}\" fits no name; the model has {}",
                               escape(*idle), names),
                   ExitCode::kUsage);
  }
  if (const std::string wrong = nonfinite_weights(model, fitting.values()); !wrong.empty())
    refuse_weights(where, wrong);
  const at::NoGradGuard no_grad;
  for (const auto& [name, value] : fitting.values()) Tensor(context.weights.at(name)).copy_(value);
  if (layout.is_own() && options.skip.empty()) restore_states(model, file, where, true);
  LoadedWeights out = fitting.outcome();
  auto said = said_of(reading, options, options.prefix ? all.size() - theirs.size() : 0);
  if (std::string other = other_options(description, context); !other.empty())
    said.push_back(other);
  if (options.file.is_address() && !options.sha256)
    said.push_back("its SHA-256 is " + sha256_of_file(path) +
                   "; given as model.weights.sha256 it is checked");
  out.messages.insert(out.messages.begin(), said.begin(), said.end());
  for (std::string& message : out.messages) message = where + ": " + message;
  return out;
}

size_t freeze(Model& model, const std::vector<std::string>& patterns) {
  size_t count = 0;
  for (const auto& item : model.named_parameters()) {
    if (!fits_any(item.key(), patterns)) continue;
    Tensor(item.value()).set_requires_grad(false);
    ++count;
  }
  return count;
}

std::string freeze_problem(const Model& model, const std::vector<std::string>& patterns) {
  bool has_trained = false;
  for (const auto& item : model.named_parameters()) has_trained |= !fits_any(item.key(), patterns);
  for (const std::string& pattern : patterns) {
    const auto parameters = model.named_parameters();
    const bool fits = std::any_of(parameters.begin(), parameters.end(), [&](const auto& item) {
      return fits_any(item.key(), {pattern});
    });
    if (!fits)
      return fmt::format("\"{}\" fits no parameter; there are {}", escape(pattern),
                         pattern_names(parameters));
  }
  return has_trained ? "" : "nothing is left to train";
}

}  // namespace vitrine
