#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "framework/config/problems.h"
#include "framework/error.h"

namespace vitrine {

// Mistakes of many cells, each of them once.
class Mistakes {
 public:
  void add(const ConfigError& error, const std::string& file) {
    if (problems_.empty()) file_ = file;
    problems_.add_new(error.problems());
  }
  void add(const Error& error) {
    const bool is_known = std::find(others_.begin(), others_.end(), error.what()) != others_.end();
    if (!is_known) others_.emplace_back(error.what());
  }
  Problems& problems() { return problems_; }
  size_t size() const { return problems_.size() + others_.size(); }

  void refuse_if_any(const std::string& file) const {
    if (others_.empty() && problems_.empty()) return;
    std::vector<std::string> texts = others_;
    if (!problems_.empty())
      texts.insert(texts.begin(), problems_.text(file_.empty() ? file : file_));
    throw Error(ExitCode::kUsage, fmt::format("{}", fmt::join(texts, "\n")));
  }

 private:
  std::string file_;
  Problems problems_;
  std::vector<std::string> others_;
};

}  // namespace vitrine
