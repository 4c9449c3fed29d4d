#include "framework/runs/event_file.h"

#include <cmath>

#include "framework/files/records.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

using namespace std::string_literals;

// The events of a file without their frames.
std::vector<std::string> events_in(const std::filesystem::path& file) {
  const std::string bytes = text_of(file);
  std::string_view rest = bytes;
  std::vector<std::string> out;
  while (const auto record = take_record(rest)) out.emplace_back(*record);
  CHECK(rest.empty());
  return out;
}

TEST_CASE("a scalar is the record that TensorBoard's own classes make of it") {
  const TemporaryFolder folder;
  EventFile file(Folder::open(folder.path()), 7);
  EventValues values;
  values.scalar("train/loss", 0.5);
  file.write(1.5, 300, values);
  CHECK(text_of(folder / "events.out.tfevents.0000000007.vitrine") ==
        "\x18\0\0\0\0\0\0\0\xA3\x7F\x4B\x22"
        "\x09\0\0\0\0\0\0\x1C\x40\x1A\x0D"
        "brain.Event:2"
        "\xDD\x6B\x7C\x28"
        "\x21\0\0\0\0\0\0\0\x01\x7B\xEC\xF6"
        "\x09\0\0\0\0\0\0\xF8\x3F\x10\xAC\x02\x2A\x13\x0A\x11\x0A\x0A"
        "train/loss"
        "\x15\0\0\0\x3F"
        "\xB5\x6A\x64\x31"s);
}

TEST_CASE("values are counted in bins of equal width, but for those that are not finite") {
  const float values[] = {-1, 0, 1, 1, NAN, INFINITY};
  const Histogram out = Histogram::of(values, 6);
  CHECK(out.minimum == -1);
  CHECK(out.maximum == 1);
  CHECK(out.sum == 1);
  CHECK(out.squares == 3);
  REQUIRE(out.counts.size() == 64);
  CHECK(out.counts[0] == 1);
  CHECK(out.counts[32] == 1);
  CHECK(out.counts[63] == 2);
  const float same[] = {2, 2, 2};
  CHECK(Histogram::of(same, 3).counts == std::vector<double>{3});
  CHECK(Histogram::of(values + 4, 2).counts.empty());
}

TEST_CASE("a histogram is the message that TensorBoard's own classes make of it") {
  Histogram histogram{-1, 1, 0, 2, {1, 2}};
  EventValues values;
  values.histogram("h", histogram);
  CHECK(
      values.message().text() ==
      "\x0A\x56\x0A\x01h\x2A\x51"
      "\x09\0\0\0\0\0\0\xF0\xBF\x11\0\0\0\0\0\0\xF0\x3F\x19\0\0\0\0\0\0\x08\x40\x21\0\0\0\0\0\0\0\0"
      "\x29\0\0\0\0\0\0\0\x40\x32\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xF0\x3F\x3A\x10\0\0\0\0\0\0\xF0"
      "\x3F"
      "\0\0\0\0\0\0\0\x40"s);
}

TEST_CASE("a file is cut to whole records up to a step") {
  const TemporaryFolder folder;
  const auto write = [&] {
    EventFile file(Folder::open(folder.path()), 1);
    for (const int64_t step : {10, 20, 30}) {
      EventValues values;
      values.scalar("a", 1);
      file.write(0, step, values);
    }
  };
  write();
  const auto file = folder / "events.out.tfevents.0000000001.vitrine";
  const auto events = events_in(file);
  REQUIRE(events.size() == 4);
  cut_event_file(file, 30);
  CHECK(events_in(file) == events);
  cut_event_file(file, 25);
  CHECK(events_in(file).size() == 3);
  const std::string two = text_of(file);
  AppendFile(file).append(framed_record("no event").substr(0, 14));  // as a killed run leaves it
  cut_event_file(file, 25);
  CHECK(text_of(file) == two);
  cut_event_file(file, 0);
  CHECK(events_in(file).size() == 1);
}

TEST_CASE("the files of a folder are told by their names") {
  CHECK(is_event_file("events.out.tfevents.0000000001.vitrine"));
  CHECK_FALSE(is_event_file("steps"));
  CHECK(seconds_of_event_file("events.out.tfevents.1796041234.vitrine-end") == 1796041234);
  CHECK(seconds_of_event_file("events.out.tfevents.x") == 0);
}

}  // namespace
}  // namespace vitrine
