#include "framework/config/check.h"

#include "framework/config/fields.h"

namespace vitrine {

void Check::error(std::initializer_list<const char*> fields, const std::string& message) {
  Location place;
  std::string others;
  for (const char* field : fields) {
    const Node* written = node_.find(field);
    if (written && !place) {
      place = written->location;
    } else {
      others += std::string(others.empty() ? "" : "; ") + field + " is " +
                (written ? "at " + written->location.text() : "a default");
    }
  }
  if (!place) place = node_.location;
  problems_.add(place, (path_.empty() ? "" : path_ + ": ") + message, others);
}

void Check::no_effect(const char* field, const std::string& reason) {
  const Node* written = node_.find(field);
  if (!written) return;
  problems_.add(written->key_location, join_path(path_, field) + " has no effect: " + reason,
                "remove it");
}

Check Check::at(const char* field) const {
  static const Node kNone;
  const Node* below =
      node_.kind == Node::Kind::kSequence ? node_.at_path(field) : node_.find(field);
  return Check(below ? *below : kNone, join_path(path_, field), problems_);
}

}  // namespace vitrine
