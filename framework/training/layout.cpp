#include "framework/training/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/error.h"

namespace vitrine {

std::map<std::string, Tensor> weights_in_layout(const std::string& name,
                                                const LayoutContext& context) {
  const auto names = Registry::instance().names(Layout::kKind);
  if (!Registry::instance().find(Layout::kKind, name)) {
    throw Error(ExitCode::kUsage, fmt::format("unknown layout \"{}\": there are {}", escape(name),
                                              fmt::join(names, ", ")));
  }
  Problems problems;
  Choice<Layout> choice(name);
  choice.read_default("layout", problems);
  const auto layout = choice.create(context);
  const auto misfits = layout->misfits();
  if (!misfits.empty()) {
    throw Error(ExitCode::kUsage, fmt::format("the layout \"{}\" has no equal of this model: {}",
                                              name, fmt::join(misfits, "; ")));
  }
  return layout->weights();
}

std::vector<std::string> misfits_of(const Node& options, const std::vector<Fits>& wanted) {
  std::vector<std::string> out;
  for (const auto& [option, values] : wanted) {
    const Node* node = options.at_path(option);
    if (!node && !option.ends_with(".type"))
      continue;  // of another component, whose type is a misfit already
    const auto value = node ? node->json() : nlohmann::ordered_json();
    if (std::find(values.begin(), values.end(), value) != values.end()) continue;
    std::vector<std::string> allowed;
    for (const auto& each : values)
      allowed.push_back(each.is_string() ? each.get<std::string>() : each.dump());
    out.push_back(fmt::format("{} is {}, not {}", option,
                              value.is_string() ? value.get<std::string>() : value.dump(),
                              fmt::join(allowed, " or ")));
  }
  return out;
}

std::map<std::string, Tensor> renamed(
    const std::map<std::string, Tensor>& weights,
    const std::vector<std::pair<std::string, std::string>>& replacements) {
  std::map<std::string, Tensor> out;
  for (const auto& [name, value] : weights) {
    std::string other = name;
    for (const auto& [from, to] : replacements) {
      if (const size_t at = other.find(from); at != other.npos) other.replace(at, from.size(), to);
    }
    out.emplace(other, value);
  }
  return out;
}

}  // namespace vitrine
