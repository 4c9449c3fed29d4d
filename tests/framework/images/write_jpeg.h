#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>
// It needs what is before it.
#include <jpeglib.h>

namespace vitrine {

// What a JPEG is written with.
struct Jpeg {
  J_COLOR_SPACE given = JCS_GRAYSCALE, stored = JCS_GRAYSCALE;
  int channels = 1;
  bool progressive = false, has_adobe = false;
  int sampling = 1;       // of the first channel, each way
  std::string exif = {};  // APP1
};

inline std::string jpeg(int64_t width, int64_t height, const std::vector<uint8_t>& pixels,
                        const Jpeg& how = {}) {
  jpeg_compress_struct out;
  jpeg_error_mgr errors;
  out.err = jpeg_std_error(&errors);
  jpeg_create_compress(&out);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&out, &bytes, &size);
  out.image_width = static_cast<JDIMENSION>(width);
  out.image_height = static_cast<JDIMENSION>(height);
  out.input_components = how.channels;
  out.in_color_space = how.given;
  jpeg_set_defaults(&out);
  jpeg_set_colorspace(&out, how.stored);
  out.write_Adobe_marker = how.has_adobe;
  jpeg_set_quality(&out, 100, TRUE);
  if (how.progressive) jpeg_simple_progression(&out);
  out.comp_info[0].h_samp_factor = out.comp_info[0].v_samp_factor = how.sampling;
  jpeg_start_compress(&out, TRUE);
  if (!how.exif.empty()) {
    jpeg_write_marker(&out, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(how.exif.data()),
                      static_cast<unsigned>(how.exif.size()));
  }
  while (out.next_scanline < out.image_height) {
    auto* row = const_cast<JSAMPROW>(&pixels[out.next_scanline * pixels.size() / out.image_height]);
    jpeg_write_scanlines(&out, &row, 1);
  }
  jpeg_finish_compress(&out);
  jpeg_destroy_compress(&out);
  std::string file(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return file;
}

}  // namespace vitrine
