#include "framework/config/known_keys.h"

#include <algorithm>

namespace vitrine {
namespace {

void add_new(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
}

}  // namespace

void KnownKeys::add(KnownKey key) {
  if (!key.owner) key.owner = owner_;
  const auto [place, is_new] = places_.emplace(key.path, keys_.size());
  if (is_new) {
    keys_.push_back(std::move(key));
    return;
  }
  KnownKey& known = keys_[place->second];
  add_new(known.words, key.words);
  if (!key.owner) {
    known.owner.reset();
  } else if (known.owner && known.owner->kind == key.owner->kind) {
    add_new(known.owner->names, key.owner->names);
  }
}

const KnownKey* KnownKeys::find(const std::string& path) const {
  const auto found = places_.find(path);
  return found == places_.end() ? nullptr : &keys_[found->second];
}

KnownKeys::OwnerScope::OwnerScope(KnownKeys& keys, KnownKey::Owner owner)
    : keys_(keys.owner_ ? nullptr : &keys) {
  if (keys_) keys_->owner_ = std::move(owner);
}

KnownKeys::OwnerScope::~OwnerScope() {
  if (keys_) keys_->owner_.reset();
}

}  // namespace vitrine
