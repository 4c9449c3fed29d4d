#include "framework/runs/event_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

#include "framework/files/records.h"
#include "framework/images/encode.h"

namespace vitrine {
namespace {

constexpr const char* kBeginning = "events.out.tfevents.";

// Fields of the messages that are written.
namespace event_field {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;
}
namespace value_field {
constexpr int kValue = 1;
constexpr int kTag = 1, kSimpleValue = 2, kImage = 4, kHistogram = 5, kTensor = 8, kMetadata = 9;
}  // namespace value_field

// SummaryMetadata of a plug-in.
WireMessage metadata_of(const std::string& plugin, std::string_view content) {
  WireMessage data, out;
  data.bytes(1, plugin);
  if (!content.empty()) data.bytes(2, content);
  out.message(1, data);
  return out;
}

// A TensorProto of one text.
WireMessage text_tensor(const std::string& text) {
  constexpr int kString = 7;
  WireMessage size, shape, out;
  size.integer(1, 1);
  shape.message(2, size);
  out.integer(1, kString).message(2, shape).bytes(8, text);
  return out;
}

std::string event_record(double seconds, int64_t step, int field, std::string_view content) {
  WireMessage out;
  out.real(event_field::kWallTime, seconds);
  if (step != 0) out.integer(event_field::kStep, step);
  out.bytes(field, content);
  return framed_record(out.text());
}

// The step of an event; none where the record holds none.
std::optional<int64_t> step_of(std::string_view record) {
  const auto fields = wire_fields(record);
  if (!fields) return std::nullopt;
  int64_t out = 0;
  for (const WireField& field : *fields) {
    if (field.number == event_field::kStep) out = static_cast<int64_t>(field.integer);
  }
  return out;
}

}  // namespace

Histogram Histogram::of(const float* values, size_t count) {
  constexpr size_t kBins = 64;
  Histogram out;
  size_t finite = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) continue;
    const double value = values[i];
    out.minimum = finite == 0 ? value : std::min(out.minimum, value);
    out.maximum = finite == 0 ? value : std::max(out.maximum, value);
    out.sum += value;
    out.squares += value * value;
    ++finite;
  }
  if (finite == 0) return out;
  const double width = out.maximum - out.minimum;
  out.counts.assign(width > 0 ? kBins : 1, 0.0);
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) continue;
    const double at = width > 0 ? (values[i] - out.minimum) / width * kBins : 0;
    out.counts[std::min(static_cast<size_t>(at), out.counts.size() - 1)] += 1;
  }
  return out;
}

void EventValues::add(const std::string& tag, int field, const WireMessage& value) {
  WireMessage out;
  out.bytes(value_field::kTag, tag).message(field, value);
  message_.message(value_field::kValue, out);
}

void EventValues::scalar(const std::string& tag, double value) {
  WireMessage out;
  out.bytes(value_field::kTag, tag).single(value_field::kSimpleValue, static_cast<float>(value));
  message_.message(value_field::kValue, out);
}

void EventValues::text(const std::string& tag, const std::string& markdown) {
  WireMessage out;
  out.bytes(value_field::kTag, tag)
      .message(value_field::kTensor, text_tensor(markdown))
      .message(value_field::kMetadata, metadata_of("text", ""));
  message_.message(value_field::kValue, out);
}

void EventValues::image(const std::string& tag, const Image& image) {
  WireMessage out;
  out.integer(1, image.height).integer(2, image.width).integer(3, image.channels);
  add(tag, value_field::kImage, out.bytes(4, encode_png(image)));
}

void EventValues::histogram(const std::string& tag, const Histogram& histogram) {
  const size_t bins = histogram.counts.size();
  if (bins == 0) return;
  std::vector<double> limits;
  double count = 0;
  for (size_t i = 0; i < bins; ++i) {
    const double share = static_cast<double>(i + 1) / static_cast<double>(bins);
    limits.push_back(histogram.minimum + share * (histogram.maximum - histogram.minimum));
    count += histogram.counts[i];
  }
  limits.back() = histogram.maximum;
  WireMessage out;
  out.real(1, histogram.minimum).real(2, histogram.maximum).real(3, count);
  out.real(4, histogram.sum).real(5, histogram.squares);
  add(tag, value_field::kHistogram, out.reals(6, limits).reals(7, histogram.counts));
}

void EventValues::hparams(const std::string& tag, const WireMessage& content) {
  WireMessage out;
  out.bytes(value_field::kTag, tag)
      .message(value_field::kMetadata, metadata_of("hparams", content.text()));
  message_.message(value_field::kValue, out);
}

EventFile::EventFile(const Folder& folder, int64_t seconds, const std::string& ending)
    : file_(folder / fmt::format("{}{:010}.{}", kBeginning, seconds, ending)) {
  if (file_.size() == 0)
    file_.append(
        event_record(static_cast<double>(seconds), 0, event_field::kFileVersion, "brain.Event:2"));
}

void EventFile::write(double seconds, int64_t step, const EventValues& values) {
  file_.append(event_record(seconds, step, event_field::kSummary, values.message().text()));
}

bool is_event_file(const std::string& name) { return name.starts_with(kBeginning); }

int64_t seconds_of_event_file(const std::string& name) {
  int64_t out = 0;
  const char* begin = name.c_str() + std::min(name.size(), std::strlen(kBeginning));
  std::from_chars(begin, name.c_str() + name.size(), out);
  return out;
}

void cut_event_file(const Place& place, int64_t last) {
  constexpr uint64_t kMost = uint64_t{1} << 40;
  const std::string bytes = read_file(place, kMost);
  std::string_view rest = bytes;
  uint64_t kept = 0;
  while (const auto record = take_record(rest)) {
    if (const auto step = step_of(*record); !step || *step > last) break;
    kept = bytes.size() - rest.size();
  }
  AppendFile file(place);
  if (kept < bytes.size()) file.truncate(kept);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace vitrine
