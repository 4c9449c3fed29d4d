#include "framework/files/gzip.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "framework/error.h"
#include "framework/memory.h"

namespace vitrine {
namespace {

constexpr int kGzipOnly = 15 + 16;  // zlib: largest window, gzip header and trailer
constexpr size_t kChunk = 1 << 16;

// What the trailer says of the last member's length, modulo 2^32: only a hint.
uint32_t declared_size(std::string_view bytes) {
  uint32_t size = 0;
  for (size_t i = 0; i < 4 && i < bytes.size(); ++i) {
    size = size << 8 | static_cast<unsigned char>(bytes[bytes.size() - 1 - i]);
  }
  return size;
}

// One member that is sound, twice as fast as zlib; false: let zlib say what there is.
bool inflate_whole(std::string_view bytes, uint64_t limit, std::string& out) {
  constexpr uint64_t kMostGrowth = 1032;  // of deflate
  const uint64_t size = declared_size(bytes);
  if (size > limit || size / kMostGrowth > bytes.size()) return false;
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  out.reserve(size);
  use_huge_pages(out.data(), size);
  out.resize(size);
  size_t taken = 0, given = 0;
  const auto result = libdeflate_gzip_decompress_ex(decompressor.get(), bytes.data(), bytes.size(),
                                                    out.data(), out.size(), &taken, &given);
  return result == LIBDEFLATE_SUCCESS && taken == bytes.size() && given == size;
}

class Inflater {
 public:
  Inflater(std::string_view bytes, std::string_view name) : rest_(bytes), name_(name) {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  std::string_view rest() const { return rest_; }

  // Appends one member to `out`.
  void member(std::string& out, uint64_t limit) {
    inflateReset(&stream_);
    while (!step(out)) {
      if (out.size() > limit) too_long(limit);
    }
    if (out.size() > limit) too_long(limit);
  }

 private:
  [[noreturn]] void too_long(uint64_t limit) const {
    refuse_data(name_, "inflates to more than the " + std::to_string(limit) + " bytes allowed");
  }

  // Inflates up to one chunk; true at the end of the member.
  bool step(std::string& out) {
    const size_t given = std::min<size_t>(rest_.size(), kChunk);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = buffer_;
    stream_.avail_out = kChunk;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    rest_.remove_prefix(given - stream_.avail_in);
    out.append(reinterpret_cast<char*>(buffer_), kChunk - stream_.avail_out);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_BUF_ERROR) refuse_data(name_, "gzip data is truncated");
    if (status != Z_OK && status != Z_STREAM_END) {
      refuse_data(name_, std::string("gzip data is corrupt (") +
                             (stream_.msg ? stream_.msg : "preset dictionary") + ")");
    }
    return status == Z_STREAM_END;
  }

  std::string_view rest_;
  std::string_view name_;
  z_stream stream_ = {};
  Bytef buffer_[kChunk];
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

std::string gunzip(std::string_view bytes, uint64_t limit, std::string_view name) {
  if (!is_gzip(bytes)) refuse_data(name, "not gzip data: it does not begin with 1f 8b");
  std::string out;
  if (inflate_whole(bytes, limit, out)) return out;
  out.clear();
  Inflater inflater(bytes, name);
  do {
    inflater.member(out, limit);
  } while (is_gzip(inflater.rest()));
  // Tapes and some tools fill the last block with zeros.
  if (inflater.rest().find_first_not_of('\0') != std::string_view::npos) {
    refuse_data(name,
                std::to_string(inflater.rest().size()) + " bytes after the end of the gzip data");
  }
  return out;
}

std::string gzip(std::string_view bytes) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipOnly, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::string out;
  char buffer[kChunk];
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const size_t given = std::min<size_t>(bytes.size(), kChunk);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = kChunk;
    status = deflate(&stream, given == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    bytes.remove_prefix(given - stream.avail_in);
    out.append(buffer, kChunk - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace vitrine
