#include "framework/runs/test_file.h"

#include <fmt/format.h>

namespace vitrine {

std::string answer_text(const nlohmann::ordered_json& answer) {
  if (answer.is_string()) return answer.get<std::string>();
  std::string out;
  for (const auto& [name, value] : answer.items()) {
    out += out.empty() ? "" : ", ";
    out += fmt::format("{}{:.4g}", answer.size() == 1 ? "" : name + " ", value.get<double>());
  }
  return out;
}

}  // namespace vitrine
