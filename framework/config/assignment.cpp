#include <fmt/format.h>

#include <algorithm>

#include "framework/config/brackets.h"
#include "framework/config/load.h"
#include "framework/config/problems.h"
#include "framework/config/references.h"
#include "framework/config/value.h"
#include "framework/error.h"

namespace vitrine {
namespace {

constexpr auto kMaxLevels = 64;  // of a dotted path

Location at_byte(const std::shared_ptr<const Source>& argument, size_t byte) {
  return {argument, 0, static_cast<int>(byte)};
}

}  // namespace

Assignment::Assignment(const std::string& text) : source_(std::make_shared<Source>()) {
  source_->name = "command line";
  source_->lines = {text};
  const size_t equals = text.find('=');
  path_ = text.substr(0, equals);
  appends_ = equals != text.npos && path_.ends_with('+');
  if (appends_) path_.pop_back();
  if (equals == text.npos || path_.empty() || path_.front() == '.' || path_.back() == '.' ||
      path_.find("..") != path_.npos) {
    refuse(at_byte(source_, 0),
           fmt::format("expected key=value, got \"{}\"", escape(text.substr(0, 200))),
           "such as optimizer.lr=0.01");
  }
  // A file would take a key of this name for the end of a list.
  if (path_.ends_with('+') || path_.find("+.") != path_.npos) {
    refuse(at_byte(source_, 0), escape(path_) + ": no key ends with +",
           "more items of a list: tags+=[a, b]");
  }
  if (std::count(path_.begin(), path_.end(), '.') >= kMaxLevels) {
    source_->lines = {text.substr(0, 200)};
    refuse(at_byte(source_, 0), fmt::format("a key has at most {} levels", kMaxLevels));
  }
  if (path_ == "base") {
    refuse(at_byte(source_, 0), "base: cannot be set here",
           "a config names its base in its own file");
  }
  const Brackets brackets = scan_brackets(std::string_view(text).substr(equals + 1));
  if (brackets.open) {
    refuse(place(equals + 1),
           escape(path_) + ": the bracket " + text[equals + 1] + " is not closed");
  }
  size_t begin = equals + 1;
  for (const size_t comma : brackets.bare_commas) {
    pieces_.push_back({begin, equals + 1 + comma});
    begin = equals + 1 + comma + 1;
  }
  pieces_.push_back({begin, text.size()});
}

Location Assignment::place(size_t byte) const { return at_byte(source_, byte); }

std::string Assignment::text(size_t i) const {
  return source_->lines[0].substr(pieces_[i].begin, pieces_[i].end - pieces_[i].begin);
}

Node Assignment::value(size_t i) const {
  Node out = parse_value(text(i), source_, pieces_[i].begin, path_);
  out = with_environment(std::move(out));
  take_appended(out);
  if (!appends_) return out;
  if (out.kind != Node::Kind::kSequence) {
    const Location place = out.location;
    out = Node::sequence({std::move(out)});
    out.location = place;
  }
  out.appends = true;
  return out;
}

}  // namespace vitrine
