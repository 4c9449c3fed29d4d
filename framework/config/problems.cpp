#include "framework/config/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "framework/config/known_keys.h"

namespace vitrine {
namespace {

constexpr size_t kWindow = 100;  // letters of a long line that are shown around the place
constexpr size_t kMaxShown = 100;

// The offending line and a caret under the place, with the hint behind it.
std::string excerpt(const Location& place, const std::string& hint) {
  const auto& lines = place.source->lines;
  const std::string number = fmt::format("{:>5} | ", place.line + 1);
  const std::string margin = std::string(number.size() - 2, ' ') + "| ";
  if (static_cast<size_t>(place.line) >= lines.size())
    return hint.empty() ? "" : "\n" + margin + hint;
  const std::string& line = lines[static_cast<size_t>(place.line)];
  const size_t column =
      count_letters(std::string_view(line).substr(0, static_cast<size_t>(place.column)));
  const size_t first = column > kWindow * 3 / 4 ? column - kWindow * 3 / 4 : 0;
  const size_t begin = byte_of_letter(line, first);
  const std::string_view shown =
      std::string_view(line).substr(begin, byte_of_letter(line, first + kWindow) - begin);
  const std::string before = escape(shown.substr(0, byte_of_letter(shown, column - first)));
  const std::string after = escape(shown.substr(byte_of_letter(shown, column - first)));
  const std::string caret =
      std::string(count_letters(before), ' ') + "^" + (hint.empty() ? "" : " " + hint);
  return fmt::format("\n{}{}{}\n{}{}", number, before, after, margin, caret);
}

}  // namespace

void Problems::add(const Location& place, const std::string& message, const std::string& hint) {
  problems_.push_back({place, message, hint});
}

Problems::KeyScope::KeyScope(Problems& problems, KeyLister list)
    : problems_(problems.keys_ ? nullptr : &problems) {
  if (problems_) problems_->keys_ = std::move(list);
}

Problems::KeyScope::~KeyScope() {
  if (!problems_) return;
  problems_->keys_ = nullptr;
  problems_->known_keys_.reset();
}

const KnownKeys& Problems::known_keys() {
  if (!known_keys_) {
    auto keys = std::make_shared<KnownKeys>();
    if (keys_) keys_(*keys);
    if (more_keys_) more_keys_(*keys);
    known_keys_ = std::move(keys);
  }
  return *known_keys_;
}

bool Problems::Problem::is_like(const Problem& other) const {
  const Location &a = place, &b = other.place;
  return a.source == b.source && a.line == b.line && a.column == b.column &&
         message == other.message && hint == other.hint;
}

void Problems::add_new(const Problems& others) {
  for (const Problem& problem : others.problems_) {
    const bool known = std::any_of(problems_.begin(), problems_.end(),
                                   [&](const Problem& other) { return other.is_like(problem); });
    if (!known) problems_.push_back(problem);
  }
}

std::vector<std::string> Problems::messages() const {
  std::vector<std::string> out;
  for (const Problem& problem : problems_) out.push_back(problem.message);
  return out;
}

std::string Problems::text(const std::string& config) const {
  std::vector<const Problem*> sorted;
  for (const Problem& problem : problems_) sorted.push_back(&problem);
  const auto key = [](const Problem* p) {
    return std::tuple(p->place.source ? p->place.source->name : std::string(), p->place.line,
                      p->place.column);
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](auto* a, auto* b) { return key(a) < key(b); });
  std::string out;
  for (size_t i = 0; i < std::min(sorted.size(), kMaxShown); ++i) {
    const Problem& problem = *sorted[i];
    if (i) out += "\n";
    if (problem.place) {
      out += problem.place.text() + ": " + problem.message + excerpt(problem.place, problem.hint);
    } else {
      out += escape(config) + ": " + problem.message +
             (problem.hint.empty() ? "" : "\n      " + problem.hint);
    }
  }
  if (sorted.size() > kMaxShown)
    out += fmt::format("\n{}: {} problems more", escape(config), sorted.size() - kMaxShown);
  return out;
}

ConfigError::ConfigError(const Problems& problems, const std::string& config, bool impossible)
    : Error(ExitCode::kUsage, problems.text(config)), impossible_(impossible) {
  problems_.add_new(problems);  // without what they ask for keys, which may be gone by then
}

ConfigError::~ConfigError() = default;

void refuse(const Location& place, const std::string& message, const std::string& hint) {
  Problems problems;
  problems.add(place, message, hint);
  throw Error(ExitCode::kUsage, problems.text(""));
}

}  // namespace vitrine
