#include <csetjmp>
#include <cstdio>
// They need what is before them.
#include <jerror.h>
#include <jpeglib.h>

#include <cstring>

#include "framework/error.h"
#include "framework/images/formats.h"

namespace vitrine {
namespace {

// Scans that a progressive file may have: each goes over all pixels again, and libjpeg's own
// encoder writes ten.
constexpr int kMaxScans = 500;

// Reads one file. libjpeg's errors leave its functions by longjmp, so the functions here that call
// it own nothing that would need a destructor.
class JpegReader {
 public:
  explicit JpegReader(std::string_view bytes) {
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = on_end;
    source_.skip_input_data = on_skip;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};
    progress_.progress_monitor = on_progress;
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    jpeg_.client_data = this;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }

  // The header; what is neither grey nor CMYK becomes RGB.
  bool read_header() {
    if (setjmp(jump_)) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_.src = &source_;
    jpeg_.progress = &progress_;
    jpeg_save_markers(&jpeg_, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&jpeg_, TRUE);
    const J_COLOR_SPACE stored = jpeg_.jpeg_color_space;
    jpeg_.out_color_space = stored == JCS_GRAYSCALE                    ? JCS_GRAYSCALE
                            : stored == JCS_CMYK || stored == JCS_YCCK ? JCS_CMYK
                                                                       : JCS_RGB;
    jpeg_calc_output_dimensions(&jpeg_);
    return true;
  }

  // All rows, into `pixels` of width() times channels() times height().
  bool read_pixels(uint8_t* pixels) {
    if (setjmp(jump_)) return false;
    jpeg_start_decompress(&jpeg_);
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW row = pixels + jpeg_.output_scanline * width() * channels();
      jpeg_read_scanlines(&jpeg_, &row, 1);
    }
    jpeg_finish_decompress(&jpeg_);
    return true;
  }

  const char* message() const { return message_; }
  int64_t width() const { return jpeg_.output_width; }
  int64_t height() const { return jpeg_.output_height; }
  int64_t channels() const { return jpeg_.out_color_components; }  // 1, 3, or 4 of CMYK
  // Adobe's programs store how little ink there is, not how much.
  bool is_inverted() const { return jpeg_.saw_Adobe_marker; }

  // Until the pixels are read.
  std::string_view exif() const {
    for (const jpeg_marker_struct* marker = jpeg_.marker_list; marker; marker = marker->next) {
      const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (data.starts_with(std::string_view("Exif\0\0", 6))) return data;
    }
    return {};
  }

 private:
  static JpegReader& of(j_common_ptr jpeg) { return *static_cast<JpegReader*>(jpeg->client_data); }
  [[noreturn]] static void leave(j_common_ptr jpeg, const char* message) {
    JpegReader& reader = of(jpeg);
    std::snprintf(reader.message_, sizeof reader.message_, "%s", message);
    std::longjmp(reader.jump_, 1);
  }
  [[noreturn]] static void on_error(j_common_ptr jpeg) {
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    leave(jpeg, message);
  }
  // A warning that pixels are made up is an error here; others tell of what harms none.
  static void on_message(j_common_ptr jpeg, int level) {
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
      case JWRN_ADOBE_XFORM:
      case JWRN_EXTRANEOUS_DATA:
      case JWRN_JFIF_MAJOR:
      case JWRN_NOT_SEQUENTIAL:
      case JWRN_TOO_MUCH_DATA:
        return;
      default:
        on_error(jpeg);
    }
  }
  static boolean on_end(j_decompress_ptr jpeg) {
    leave(reinterpret_cast<j_common_ptr>(jpeg), "the file ends early");
  }
  static void on_skip(j_decompress_ptr jpeg, long count) {
    if (count <= 0) return;
    if (static_cast<size_t>(count) > jpeg->src->bytes_in_buffer) on_end(jpeg);
    jpeg->src->next_input_byte += count;
    jpeg->src->bytes_in_buffer -= static_cast<size_t>(count);
  }
  static void on_progress(j_common_ptr jpeg) {
    if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number > kMaxScans)
      leave(jpeg, "more scans than any encoder writes");
  }

  jpeg_decompress_struct jpeg_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_source_mgr source_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = "";
};

// The product of two shares of 255.
int share(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// Inks of a byte each, as Pillow mixes them.
std::vector<uint8_t> rgb_of_cmyk(const std::vector<uint8_t>& inks, bool is_inverted) {
  std::vector<uint8_t> out(inks.size() / 4 * 3);
  const int flip = is_inverted ? 255 : 0;
  for (size_t from = 0, to = 0; from < inks.size(); from += 4) {
    const int light = 255 - (inks[from + 3] ^ flip);
    for (size_t c = 0; c < 3; ++c, ++to)
      out[to] = static_cast<uint8_t>(light - share(inks[from + c] ^ flip, light));
  }
  return out;
}

}  // namespace

DecodedFile decode_jpeg(std::string_view bytes, std::string_view name) {
  JpegReader reader(bytes);
  const auto corrupt = [&] {
    refuse_data(name, std::string("JPEG data is corrupt: ") + reader.message());
  };
  if (!reader.read_header()) corrupt();
  DecodedFile out{reader.width(), reader.height(), reader.channels(), {}};
  refuse_too_large(out.width, out.height, name);
  const std::string_view exif = reader.exif();
  if (!exif.empty()) out.orientation = orientation_of(exif);
  out.pixels.resize(static_cast<size_t>(out.width * out.height * out.channels));
  if (!reader.read_pixels(out.pixels.data())) corrupt();
  if (out.channels == 4) {
    out.pixels = rgb_of_cmyk(out.pixels, reader.is_inverted());
    out.channels = 3;
  }
  return out;
}

}  // namespace vitrine
