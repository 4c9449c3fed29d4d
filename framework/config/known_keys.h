#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vitrine {

// A key that a config may have, whichever components it chooses.
struct KnownKey {
  // Stands for the number of an item that a list does not have yet: "model.tasks.N.weight".
  static constexpr const char* kNextItem = "N";

  // The components that have the option, of which the config chooses none.
  struct Owner {
    std::string kind;
    std::vector<std::string> names;
    std::string chosen = {};  // empty where nothing is
  };

  std::string path;
  std::vector<std::string> words = {};  // what else people call its last part
  bool is_group = false;                // it holds keys, and takes no plain value
  std::string kind = {};                // of the component that it names; empty: it names none
  std::optional<Owner> owner = {};
};

// All keys that are known, each path once.
class KnownKeys {
 public:
  // A path that is there already takes over words and owners.
  void add(KnownKey key);
  const std::vector<KnownKey>& list() const { return keys_; }
  const KnownKey* find(const std::string& path) const;  // nullptr where there is none

  // What is added while it lives are options of a component that the config does not choose.
  class OwnerScope {
   public:
    OwnerScope(KnownKeys& keys, KnownKey::Owner owner);
    OwnerScope(const OwnerScope&) = delete;
    OwnerScope& operator=(const OwnerScope&) = delete;
    ~OwnerScope();

   private:
    KnownKeys* keys_;  // nullptr: a component further out is not chosen either
  };

 private:
  std::vector<KnownKey> keys_;
  std::unordered_map<std::string, size_t> places_;
  std::optional<KnownKey::Owner> owner_;
};

}  // namespace vitrine
