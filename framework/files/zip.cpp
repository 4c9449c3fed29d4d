#include "framework/files/zip.h"

#include <zip.h>

#include <algorithm>

#include "framework/error.h"

namespace vitrine {
namespace {

std::string words_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string out = zip_error_strerror(&error);
  zip_error_fini(&error);
  return out;
}

using OpenEntry = std::unique_ptr<zip_file_t, int (*)(zip_file_t*)>;

}  // namespace

struct ZipFile::Archive {
  zip_t* it = nullptr;
  ~Archive() {
    if (it) zip_discard(it);
  }
};

ZipFile::ZipFile(ZipFile&&) noexcept = default;
ZipFile::~ZipFile() = default;

ZipFile::ZipFile(const std::string& path) : name_(path), archive_(std::make_unique<Archive>()) {
  int code = 0;
  archive_->it = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (!archive_->it) fail(code == ZIP_ER_NOENT ? "no such file" : words_of(code));
  list();
}

ZipFile::ZipFile(std::string_view bytes, std::string_view name)
    : name_(name), archive_(std::make_unique<Archive>()) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  archive_->it = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  const std::string problem = archive_->it ? "" : zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!archive_->it && source) zip_source_free(source);
  if (!problem.empty()) fail(problem);
  list();
}

void ZipFile::list() {
  const zip_int64_t count = zip_get_num_entries(archive_->it, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(archive_->it, static_cast<zip_uint64_t>(i), 0);
    names_.emplace_back(name ? name : "");
  }
}

void ZipFile::fail(const std::string& problem) const { refuse_data(name_, problem); }

uint64_t ZipFile::size(size_t index) const {
  constexpr uint64_t kMostGrowth = 1032;  // of deflate
  const auto fail_in = [&](const std::string& problem) {
    fail(escape(names_.at(index)) + ": " + problem);
  };
  zip_stat_t stat;
  zip_stat_init(&stat);
  constexpr zip_uint64_t kWanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if (zip_stat_index(archive_->it, index, 0, &stat) != 0 || (stat.valid & kWanted) != kWanted)
    fail_in("the archive does not tell its size");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
    fail_in("it is packed in another way than by deflate");
  if (stat.size / kMostGrowth > stat.comp_size)
    fail_in("the archive tells a size that it cannot have");
  return stat.size;
}

std::string ZipFile::read_start(size_t index, uint64_t count) const {
  const auto fail_in = [&](const std::string& problem) {
    fail(escape(names_.at(index)) + ": " + problem);
  };
  size(index);  // is asked for what it refuses
  const OpenEntry entry(zip_fopen_index(archive_->it, index, 0), zip_fclose);
  if (!entry) fail_in(zip_strerror(archive_->it));
  constexpr uint64_t kStep = 1 << 20;
  std::string out;
  while (out.size() < count) {
    const size_t before = out.size();
    // Doubling: what is asked for is never much more than what came.
    const uint64_t step = std::min(count - before, std::max<uint64_t>(kStep, before));
    out.resize(before + step);
    const zip_int64_t got = zip_fread(entry.get(), out.data() + before, step);
    if (got < 0) fail_in(zip_file_strerror(entry.get()));
    out.resize(before + static_cast<size_t>(got));
    if (got == 0) break;
  }
  return out;
}

std::string ZipFile::read(size_t index, uint64_t limit) const {
  const uint64_t told = size(index);
  if (told > limit) {
    fail(escape(names_.at(index)) + ": has " + std::to_string(told) + " bytes, more than the " +
         std::to_string(limit) + " allowed");
  }
  // One more: reading to the end compares the checksum.
  std::string out = read_start(index, told + 1);
  if (out.size() != told) {
    fail(escape(names_.at(index)) + ": has " + std::to_string(out.size()) +
         " bytes, the archive tells " + std::to_string(told));
  }
  return out;
}

}  // namespace vitrine
