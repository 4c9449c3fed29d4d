#include "framework/config/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "framework/config/problems.h"
#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {
namespace {

// A text that may name a component, so that it can stand for {type: text}.
bool is_shorthand(const Node& node) {
  return node.kind == Node::Kind::kScalar && node.refers.empty() &&
         (node.quoted || (!parse_bool(node.scalar) && !parse_number(node.scalar)));
}

const Node* type_of(const Node& node) {
  const Node* type = node.find("type");
  return type && type->kind == Node::Kind::kScalar ? type : nullptr;
}

Node list_of(Node item) {
  Node out = Node::sequence({});
  out.key = std::exchange(item.key, "");
  out.key_location = item.key_location;
  out.location = item.location;
  out.children.push_back(std::move(item));
  return out;
}

Node appended(Node base, Node over) {
  if (base.kind == Node::Kind::kNull) return over;
  if (base.is_mapping() || !base.refers.empty()) {
    refuse(over.location, "nothing can be appended to " + base.shown(),
           "the base has it at " + base.location.text());
  }
  if (base.kind == Node::Kind::kScalar) {  // a list of one
    base = list_of(std::move(base));
    base.location = over.location;
  }
  std::move(over.children.begin(), over.children.end(), std::back_inserter(base.children));
  base.key_location = over.key_location;
  return base;
}

bool changes_items(const Node& over) {
  return over.is_mapping() && !over.children.empty() &&
         std::all_of(over.children.begin(), over.children.end(),
                     [](const Node& child) { return parse_integer(child.key).has_value(); });
}

Node with_changed_items(Node base, Node over) {
  const size_t size = base.children.size();
  for (Node& child : over.children) {
    const auto index = parse_integer(child.key);
    if (*index < 0 || static_cast<size_t>(*index) >= size) {
      refuse(child.key_location, fmt::format("\"{}\" is no item of the list", escape(child.key)),
             size ? fmt::format("its items are 0 to {}", size - 1) : "the list is empty");
    }
    Node& item = base.children[static_cast<size_t>(*index)];
    item = merge(std::move(item), std::move(child));
    item.key.clear();
  }
  return base;
}

}  // namespace

Node spelled_out(Node node) {
  if (!is_shorthand(node)) return node;
  Node out = Node::mapping();
  out.key = node.key;
  out.key_location = node.key_location;
  out.location = node.location;
  node.key = "type";
  out.children.push_back(std::move(node));
  return out;
}

Node merge_keys(Node base, Node over) {
  base.key_location = over.key_location;
  if (over.location) base.location = over.location;
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < base.children.size(); ++i) places.emplace(base.children[i].key, i);
  for (Node& child : over.children) {
    const auto [known, is_new] = places.emplace(child.key, base.children.size());
    if (is_new) {
      base.children.push_back(std::move(child));
      continue;
    }
    Node& old = base.children[known->second];
    Node merged = merge(std::move(old), std::move(child));
    merged.key = known->first;
    old = std::move(merged);
  }
  return base;
}

Node inherit(Node base, Node own) {
  const Node* inherited = base.find("plugins");
  Node* plugins = inherited && inherited->refers.empty() ? own.find("plugins") : nullptr;
  if (plugins && plugins->kind == Node::Kind::kScalar) *plugins = list_of(std::move(*plugins));
  if (plugins && plugins->kind == Node::Kind::kSequence) plugins->appends = true;
  return merge_keys(std::move(base), std::move(own));
}

Node merge(Node base, Node over) {
  if (over.appends) return appended(std::move(base), std::move(over));
  if (base.kind == Node::Kind::kSequence && changes_items(over))
    return with_changed_items(std::move(base), std::move(over));
  if (base.is_mapping() && is_shorthand(over)) over = spelled_out(std::move(over));
  if (over.is_mapping() && is_shorthand(base)) base = spelled_out(std::move(base));
  if (!base.is_mapping() || !over.is_mapping()) return over;
  if (const Node* type = type_of(over)) {
    const Node* base_type = type_of(base);
    if (base_type && base_type->scalar != type->scalar) {
      over.replaced = std::make_shared<const Node>(std::move(base));
      return over;
    }
    if (!base_type) {
      over.under_default_type = std::move(base.children);
      return over;
    }
  }
  return merge_keys(std::move(base), std::move(over));
}

void take_appended(Node& config) {
  for (Node& child : config.children) take_appended(child);
  for (size_t i = 0; i < config.children.size();) {
    Node& child = config.children[i];
    if (!config.is_mapping() || child.key.size() < 2 || !child.key.ends_with('+')) {
      ++i;
      continue;
    }
    if (child.kind != Node::Kind::kSequence) child = list_of(std::move(child));
    child.key.pop_back();
    child.appends = true;
    const auto is_same = [&](const Node& other) {
      return &other != &child && other.key == child.key;
    };
    const auto same = std::find_if(config.children.begin(), config.children.end(), is_same);
    if (same == config.children.end()) {
      ++i;
      continue;
    }
    const std::string key = child.key;  // of `tags` beside `tags+`
    Node both = appended(std::move(*same), std::move(child));
    both.key = key;
    *same = std::move(both);
    config.children.erase(config.children.begin() + static_cast<ptrdiff_t>(i));
  }
}

NotTaken take_back(Node& config, const std::string& path) {
  const size_t dot = path.rfind('.');
  const std::string parent = dot == path.npos ? "" : path.substr(0, dot);
  const std::string name = path.substr(dot == path.npos ? 0 : dot + 1);
  Node* node = const_cast<Node*>(config.at_path(parent));
  if (node && name == "type" && !parent.empty()) *node = spelled_out(std::move(*node));
  if (node && node->erase(name)) return NotTaken::kNothing;
  return node && node->kind == Node::Kind::kSequence ? NotTaken::kItem : NotTaken::kAbsent;
}

void take_back(Node& base, Node& over) {
  const Node* unset = over.find("unset");
  if (!unset) return;
  const bool is_list = unset->kind == Node::Kind::kSequence;
  for (const Node& path : is_list ? unset->children : std::vector<Node>{*unset}) {
    if (path.kind != Node::Kind::kScalar || path.scalar.empty()) {
      refuse(path.location, "unset: expected a key, or a list of them, got " + path.shown(),
             "such as [model.mlp], which takes it back to its default");
    }
    const std::string name = "unset: " + escape(path.scalar);
    const NotTaken why = take_back(base, path.scalar);
    if (why == NotTaken::kItem) refuse(path.location, name + ": an item of a list has no default");
    if (why == NotTaken::kAbsent)
      refuse(path.location, name + ": no base sets it", "what is set in this file is left out");
  }
  over.erase("unset");
}

}  // namespace vitrine
