#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "framework/files/file.h"
#include "framework/files/wire_format.h"
#include "framework/images/image.h"

// Event files, as TensorBoard reads them (tensorboard/compat/proto/{event,summary}.proto).
namespace vitrine {

// How often values lie in bins of equal width. Values that are not finite are left out.
struct Histogram {
  double minimum = 0, maximum = 0, sum = 0, squares = 0;
  std::vector<double> counts;  // empty where there are no values

  static Histogram of(const float* values, size_t count);
};

// What one event tells.
class EventValues {
 public:
  void scalar(const std::string& tag, double value);
  void text(const std::string& tag, const std::string& markdown);
  void image(const std::string& tag, const Image& image);
  void histogram(const std::string& tag, const Histogram& histogram);
  // For the plug-in hparams: `content` is an HParamsPluginData.
  void hparams(const std::string& tag, const WireMessage& content);

  const WireMessage& message() const { return message_; }

 private:
  void add(const std::string& tag, int field, const WireMessage& value);

  WireMessage message_;
};

// A file that events are appended to, made if absent. Every failure is an Error(kFailed).
class EventFile {
 public:
  // TensorBoard reads the files of a folder in the order of their names, which begin with
  // `seconds`, and takes no more notice of one when it has gone on to the next.
  EventFile(const Folder& folder, int64_t seconds, const std::string& ending = "vitrine");

  void write(double seconds, int64_t step, const EventValues& values);

 private:
  AppendFile file_;
};

bool is_event_file(const std::string& name);
// The seconds in its name; 0 where there are none.
int64_t seconds_of_event_file(const std::string& name);

// Cuts an event file back to whole records, up to the first of a step above `last`. Throws Error.
void cut_event_file(const Place& place, int64_t last);

double seconds_now();  // since 1970

}  // namespace vitrine
