#pragma once

#include <optional>
#include <string>

#include "framework/config/fields.h"
#include "framework/sweeps/field_types.h"

namespace vitrine {

// The numbers from `min` to `max`, both included, which values are drawn from.
struct Range {
  double min = 0, max = 1;
  bool log = false;             // each order of magnitude is as likely as the next
  std::optional<double> step;   // only min, min + step, min + 2 step, ...
  bool has_whole_ends = false;  // these numbers are written as whole ones
  std::string key;              // that the numbers are for
  Location place_of_key, place, place_of_max;

  void visit(Fields& field);

  // Whether a key of this type is given whole numbers.
  bool is_whole(const FieldType& type) const;
  // How many numbers there are; none where they lie densely. `whole`: only whole ones count.
  std::optional<uint64_t> count(bool whole) const;
  Node number(uint64_t i, bool whole) const;  // of count()
  Node draw(double share, bool whole) const;  // share of [0, 1)
  Node end(bool first, bool whole) const;     // the smallest, or the largest

 private:
  Node node(const std::string& number, const Location& where) const;
};

// A mapping that is a range if it stands where numbers do: it has a key of a range, and no other.
bool looks_like_range(const Node& node);

// Whether a text would be one of those below if what it refers to were numbers: "${env:LOW}..0.1".
bool refers_as_range(const Node& text);

// What a lone text says of values: "1e-4..0.1", "log:8..512", "0..1:0.25" as a range's mapping,
// "0..9" as the list of these whole numbers. None where it is no such text; one that is none of
// these but was meant to be goes to `problems`.
std::optional<Node> spelled_out(const Node& text, const std::string& path, Problems& problems);

// Reads a range's mapping for a key of this type. None: what is wrong went to `problems`.
std::optional<Range> read_range(const Node& node, const std::string& path, const FieldType& type,
                                Problems& problems);

}  // namespace vitrine
