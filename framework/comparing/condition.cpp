#include "framework/comparing/condition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/comparing/groups.h"
#include "framework/config/brackets.h"
#include "framework/config/hints.h"
#include "framework/config/value.h"
#include "framework/engine/engine.h"
#include "framework/error.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Runs = std::vector<const RunRecord*>;

constexpr size_t kMostValues = 10;
constexpr size_t kShortestHash = 7;

[[noreturn]] void refuse(const std::string& message) { throw Error(ExitCode::kUsage, message); }

// Which of the runs' names may be meant by one that is none; else which key that no run has.
std::string hint_of(const std::string& name, const std::set<std::string>& names) {
  const KnownKeys known = known_keys_of_engine(Node::mapping());
  KnownKeys own;
  for (const std::string& one : names) {
    const KnownKey* same = known.find(one);
    own.add({.path = one, .words = same ? same->words : std::vector<std::string>()});
  }
  const std::vector<KnownKey> meant = meant_by(name, own);
  if (!meant.empty()) return "; " + escape(did_you_mean(name, meant));
  return known.find(name) ? "" : nor_is(meant_by(name, known));
}

void require_tag(const Runs& runs, const std::string& tag) {
  std::set<std::string> tags;
  for (const RunRecord* run : runs) {
    tags.insert(run->metrics.tags.begin(), run->metrics.tags.end());
  }
  if (tags.contains(tag)) return;
  refuse(fmt::format("--tag {}: no run has it; {}", escape(tag),
                     tags.empty()
                         ? "the runs have no tags"
                         : "there are " + escape(fmt::format("{}", fmt::join(tags, ", ")))));
}

// "model.hidden_d is 8, 16" of the runs.
std::string values_of(const Runs& runs, const std::string& name) {
  std::vector<std::string> shown;
  for (const RunRecord* run : runs) {
    if (!run->is_readable()) continue;
    const auto value = run->value(name);
    const std::string text = value ? shown_value(*value) : "absent";
    if (std::find(shown.begin(), shown.end(), text) == shown.end()) shown.push_back(text);
    if (shown.size() > kMostValues) break;
  }
  if (shown.size() > kMostValues) shown.back() = "...";
  return escape(fmt::format("{} is {}", name, fmt::join(shown, ", ")));
}

}  // namespace

std::string shown_value(const nlohmann::ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : to_flow_yaml(Node::from_json(value));
}

Condition::Condition(const std::string& text, const std::string& option) {
  const size_t at = text.find_first_of("=!<>");
  for (const char* known : {"==", "!=", "<=", ">=", "=", "<", ">"}) {
    if (operator_.empty() && at != text.npos && text.substr(at).starts_with(known)) {
      operator_ = known;
    }
  }
  if (operator_.empty() || at == 0) {
    refuse(fmt::format("{} {}: expected NAME=VALUE, or !=, <, <=, > or >= between them", option,
                       escape(text)));
  }
  name_ = text.substr(0, at);
  const std::string values = text.substr(at + operator_.size());
  std::vector<size_t> ends = scan_brackets(values).bare_commas;
  ends.push_back(values.size());
  size_t begin = 0;
  for (const size_t end : ends) {
    begin = std::min(values.find_first_not_of(' ', begin), end);
    const std::string one = values.substr(begin, end - begin);
    const auto source = std::make_shared<const Source>(Source{option, {one}});
    wanted_.push_back({one, one.empty() ? Json("") : parse_value(one, source, 0, name_).json()});
    begin = end + 1;
  }
  if (operator_ == "==") operator_ = "=";
  const bool ordered = operator_[0] == '<' || operator_[0] == '>';
  if (ordered && (wanted_.size() > 1 || !wanted_[0].json.is_number())) {
    refuse(fmt::format("{} {}: {} compares with a number, got \"{}\"", option, escape(text),
                       operator_, escape(values)));
  }
}

bool Condition::is_equal(const Json& value, const Value& wanted) const {
  if (value == wanted.json) return true;
  if (value.is_array() && value.size() == 1) return is_equal(value[0], wanted);  // 7 is [7]
  if (!value.is_string()) return false;
  const std::string text = value;
  const bool abbreviated = is_hash(name_) && wanted.text.size() >= kShortestHash;
  return text == wanted.text || (abbreviated && text.starts_with(wanted.text));
}

bool Condition::is_any(const Json& value) const {
  return std::any_of(wanted_.begin(), wanted_.end(),
                     [&](const Value& wanted) { return is_equal(value, wanted); });
}

bool Condition::holds(const RunRecord& run) const {
  const auto value = run.value(name_);
  if (operator_ == "=") return value && is_any(*value);
  if (operator_ == "!=") return !value || !is_any(*value);
  if (!value || !value->is_number()) return false;
  const double number = value->get<double>(), limit = wanted_[0].json.get<double>();
  if (operator_ == "<") return number < limit;
  if (operator_ == "<=") return number <= limit;
  if (operator_ == ">") return number > limit;
  return number >= limit;
}

void require_name(const Runs& runs, const std::string& name, const std::string& option) {
  const auto known = [&](const RunRecord* run) { return run->value(name).has_value(); };
  if (std::any_of(runs.begin(), runs.end(), known)) return;
  std::set<std::string> names;
  for (const RunRecord* run : runs) {
    for (std::string& one : run->names()) names.insert(std::move(one));
  }
  refuse(fmt::format("{} {}: no run has such a key or metric{}", option, escape(name),
                     hint_of(name, names)));
}

std::vector<const RunRecord*> select_runs(const Runs& runs,
                                          const std::vector<Condition>& conditions,
                                          const std::vector<std::string>& tags) {
  for (const Condition& condition : conditions) require_name(runs, condition.name(), "--where");
  for (const std::string& tag : tags) require_tag(runs, tag);
  Runs left = runs;
  // Those that cannot be read stay, so that they are not lost in silence.
  const auto keep = [&](const auto& fits) {
    std::erase_if(left, [&](const RunRecord* run) { return run->is_readable() && !fits(*run); });
    return std::any_of(left.begin(), left.end(),
                       [](const RunRecord* run) { return run->is_readable(); });
  };
  for (const std::string& tag : tags) {
    const auto has_tag = [&](const RunRecord& run) {
      return std::count(run.metrics.tags.begin(), run.metrics.tags.end(), tag) > 0;
    };
    if (!keep(has_tag)) refuse("no run has all of these tags");
  }
  for (const Condition& condition : conditions) {
    // keep() changes `left`. NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
    const Runs before = left;
    if (!keep([&](const RunRecord& run) { return condition.holds(run); })) {
      const char* several = "; all conditions must hold (NAME=VALUE,VALUE takes either value)";
      refuse(fmt::format("no run is left by --where: {}{}", values_of(before, condition.name()),
                         conditions.size() > 1 ? several : ""));
    }
  }
  return left;
}

}  // namespace vitrine
