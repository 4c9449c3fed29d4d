#include "framework/files/bzip2.h"

#include <bzlib.h>

#include <algorithm>
#include <new>

#include "framework/error.h"

namespace vitrine {
namespace {

class Bunzip2 {
 public:
  Bunzip2(std::string_view bytes, std::string_view name) : rest_(bytes), name_(name) {
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  Bunzip2(const Bunzip2&) = delete;
  Bunzip2& operator=(const Bunzip2&) = delete;
  ~Bunzip2() { BZ2_bzDecompressEnd(&stream_); }

  std::string_view rest() const { return rest_; }

  // Appends one stream to `out`.
  void stream(std::string& out, uint64_t limit) {
    for (bool ended = false; !ended;) {
      ended = step(out);
      if (out.size() > limit)
        refuse_data(name_, "grows to more than the " + std::to_string(limit) + " bytes allowed");
    }
  }

 private:
  // True at the end of the stream.
  bool step(std::string& out) {
    char buffer[1 << 16];
    const size_t given = std::min<size_t>(rest_.size(), 1 << 16);
    stream_.next_in = const_cast<char*>(rest_.data());
    stream_.avail_in = static_cast<unsigned>(given);
    stream_.next_out = buffer;
    stream_.avail_out = sizeof(buffer);
    const int status = BZ2_bzDecompress(&stream_);
    rest_.remove_prefix(given - stream_.avail_in);
    out.append(buffer, sizeof(buffer) - stream_.avail_out);
    if (status == BZ_MEM_ERROR) throw std::bad_alloc();
    if (status != BZ_OK && status != BZ_STREAM_END) refuse_data(name_, "bzip2 data is corrupt");
    if (status == BZ_OK && rest_.empty() && stream_.avail_out == sizeof(buffer))
      refuse_data(name_, "bzip2 data is truncated");
    return status == BZ_STREAM_END;
  }

  std::string_view rest_;
  std::string_view name_;
  bz_stream stream_ = {};
};

}  // namespace

bool is_bzip2(std::string_view bytes) { return bytes.starts_with("BZh"); }

std::string bunzip2(std::string_view bytes, uint64_t limit, std::string_view name) {
  if (!is_bzip2(bytes)) refuse_data(name, "not bzip2 data: it does not begin with BZh");
  std::string out;
  do {
    Bunzip2 stream(bytes, name);
    stream.stream(out, limit);
    bytes = stream.rest();
  } while (is_bzip2(bytes));
  if (!bytes.empty())
    refuse_data(name, std::to_string(bytes.size()) + " bytes after the end of the bzip2 data");
  return out;
}

}  // namespace vitrine
