#include "framework/model/layout.h"

#include <ATen/ops/chunk.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>

#include "framework/error.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// What the stars of a pattern stand for in `name`; none where it does not fit.
std::optional<std::vector<std::string>> stars_of(const std::string& pattern,
                                                 const std::string& name) {
  std::vector<std::string> out;
  size_t at = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '*') {
      if (at == name.size() || name[at++] != pattern[i]) return std::nullopt;
      continue;
    }
    const size_t end =
        i + 1 == pattern.size() ? name.size() : std::min(name.find('.', at), name.size());
    if (end == at) return std::nullopt;
    out.push_back(name.substr(at, end - at));
    at = end;
  }
  if (at != name.size()) return std::nullopt;
  return out;
}

// `pattern` with its stars replaced; none where it has more of them.
std::optional<std::string> with_stars(const std::string& pattern,
                                      const std::vector<std::string>& stars) {
  std::string out;
  size_t used = 0;
  for (const char c : pattern) {
    if (c != '*') {
      out += c;
    } else if (used == stars.size()) {
      return std::nullopt;
    } else {
      out += stars[used++];
    }
  }
  return out;
}

std::vector<int64_t> shape_of_theirs(const LayoutRow& row, const Tensor& ours) {
  if (!row.shape.empty()) return row.shape;
  std::vector<int64_t> out = ours.sizes().vec();
  if (!out.empty()) out[0] /= static_cast<int64_t>(row.theirs.size());
  return out;
}

std::optional<LayoutEntry> entry_of(const LayoutRow& row, const std::string& name,
                                    const Tensor& ours) {
  const auto stars = stars_of(row.ours, name);
  if (!stars) return std::nullopt;
  LayoutEntry out{name, {}, shape_of_theirs(row, ours)};
  for (const std::string& theirs : row.theirs)
    out.theirs.push_back(with_stars(theirs, *stars).value_or(theirs));
  return out;
}

std::string shown(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// For each option with another value, `words` of it, its value and those that are wanted.
template <class Words>
std::vector<std::string> differing(const Node& options, const std::vector<Fits>& wanted,
                                   const std::vector<std::string>& skips, const Words& words) {
  std::vector<std::string> out;
  for (const auto& [option, values, weight] : wanted) {
    if (!weight.empty() && fits_any(weight, skips)) continue;
    const Node* node = options.at_path(option);
    if (!node && !option.ends_with(".type"))
      continue;  // of another component, whose type is a misfit already
    const Json value = node ? node->json() : Json();
    if (std::find(values.begin(), values.end(), value) != values.end()) continue;
    std::vector<std::string> allowed;
    for (const Json& each : values) allowed.push_back(shown(each));
    out.push_back(words(option, shown(value), fmt::format("{}", fmt::join(allowed, " or "))));
  }
  return out;
}

std::shared_ptr<Layout> make_layout(const std::string& name, const LayoutContext& context) {
  if (!Registry::instance().find(Layout::kKind, name)) {
    throw Error(ExitCode::kUsage,
                fmt::format("unknown layout \"{}\": there are {}", escape(name),
                            fmt::join(Registry::instance().names(Layout::kKind), ", ")));
  }
  Problems problems;
  Choice<Layout> choice(name);
  choice.read_default("layout", problems);
  return choice.create(context);
}

}  // namespace

std::vector<int64_t> LayoutContext::patch_shape() const {
  if (rows == 0 || columns == 0) return {};
  return {hidden_d, channels, height / rows, width / columns};
}

// Without tasks there is no head to convert.
std::vector<std::string> unless_one_task(const LayoutContext& context) {
  if (context.tasks.size() <= 1) return {};
  return {fmt::format("it has {} tasks, not one", context.tasks.size())};
}

bool fits_any(const std::string& name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

ModelLayout::ModelLayout(const std::string& name, const LayoutContext& context)
    : name_(name),
      context_(context),
      layout_(make_layout(name, context)),
      table_(in_component(layout_->component(), "table", [&] { return layout_->table(); })) {
  for (const auto& [ours, tensor] : context.weights) {
    std::optional<LayoutEntry> entry;
    for (size_t i = 0; i < table_.size() && !entry; ++i) entry = entry_of(table_[i], ours, tensor);
    entry ? entries_.push_back(std::move(*entry)) : nameless_.push_back(ours);
  }
  for (const auto& [ours, tensor] : context.computed) {
    for (const LayoutRow& row : table_) {
      if (row.ours == ours) entries_.push_back(*entry_of(row, ours, tensor));
    }
  }
}

bool ModelLayout::is_own() const {
  return nameless_.empty() && std::all_of(entries_.begin(), entries_.end(), [](const auto& entry) {
           return entry.theirs == std::vector{entry.ours};
         });
}

std::vector<std::string> ModelLayout::misfits(const std::vector<std::string>& skips) const {
  auto out = differing(context_.options, told(*layout_, "fits", &Layout::fits), skips,
                       [](const auto& option, const auto& value, const auto& allowed) {
                         return fmt::format("{} is {}, not {}", option, value, allowed);
                       });
  for (std::string& misfit : told(*layout_, "misfits", &Layout::misfits))
    out.push_back(std::move(misfit));
  if (!out.empty()) return out;  // which says why a weight has no name
  for (const std::string& name : nameless_) {
    if (!fits_any(name, skips)) out.push_back(name + " has no name in it");
  }
  return out;
}

std::vector<std::string> ModelLayout::unusual() const {
  return differing(context_.options, told(*layout_, "usual", &Layout::usual), {},
                   [](const auto& option, const auto& value, const auto& allowed) {
                     return fmt::format("{} is {} here and usually {} there", option, value,
                                        allowed);
                   });
}

std::optional<std::string> ModelLayout::our_name(const std::string& theirs) const {
  for (const LayoutRow& row : table_) {
    for (const std::string& pattern : row.theirs) {
      if (const auto stars = stars_of(pattern, theirs)) return with_stars(row.ours, *stars);
    }
  }
  return std::nullopt;
}

std::map<std::string, Tensor> weights_in_layout(const std::string& name,
                                                const LayoutContext& context) {
  const ModelLayout layout(name, context);
  if (const auto misfits = layout.misfits(); !misfits.empty()) {
    throw Error(ExitCode::kUsage, fmt::format("the layout \"{}\" has no equal of this model: {}",
                                              name, fmt::join(misfits, "; ")));
  }
  std::map<std::string, Tensor> out;
  for (const auto& [ours, theirs, shape] : layout.entries()) {
    const auto known = context.weights.find(ours);
    const Tensor& whole =
        known != context.weights.end() ? known->second : context.computed.at(ours);
    if (theirs.size() == 1) {
      out[theirs[0]] = whole.reshape(shape);
      continue;
    }
    const auto parts = at::chunk(whole, static_cast<int64_t>(theirs.size()));
    for (size_t i = 0; i < theirs.size(); ++i) out[theirs[i]] = parts[i].reshape(shape);
  }
  return out;
}

}  // namespace vitrine
