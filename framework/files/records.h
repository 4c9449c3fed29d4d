#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// TFRecord: one record after the other, each with its length and checksums
// (https://www.tensorflow.org/tutorials/load_data/tfrecord).
namespace vitrine {

// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
uint32_t crc32c(std::string_view bytes);
// The same as TFRecord keeps it: rotated, so that a checksum of checksums is one as well.
uint32_t masked_crc32c(std::string_view bytes);

// A record as it lies in a file.
std::string framed_record(std::string_view record);

// Takes the first record off `bytes`; none, and nothing is taken, where what is there is no whole
// and intact one.
std::optional<std::string_view> take_record(std::string_view& bytes);

}  // namespace vitrine
