#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "framework/error.h"
#include "framework/images/formats.h"

namespace vitrine {
namespace {

struct FreeDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, FreeDemuxer>;

// The first frame; the only one of what is no animation.
class FirstFrame {
 public:
  explicit FirstFrame(const WebPDemuxer* demuxer)
      : is_there_(WebPDemuxGetFrame(demuxer, 1, &frame_) && frame_.complete) {}
  FirstFrame(const FirstFrame&) = delete;
  FirstFrame& operator=(const FirstFrame&) = delete;
  ~FirstFrame() { WebPDemuxReleaseIterator(&frame_); }

  explicit operator bool() const { return is_there_; }
  const WebPIterator* operator->() const { return &frame_; }

 private:
  WebPIterator frame_ = {};
  bool is_there_;
};

int orientation_in(const WebPDemuxer* demuxer) {
  if (!(WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & EXIF_FLAG)) return 1;
  WebPChunkIterator chunk = {};
  int out = 1;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk))
    out = orientation_of({reinterpret_cast<const char*>(chunk.chunk.bytes), chunk.chunk.size});
  WebPDemuxReleaseChunkIterator(&chunk);
  return out;
}

// Whether there are fewer bytes than the file says it has.
bool ends_early(std::string_view bytes) {
  uint64_t size = 8;
  for (size_t i = 4; i < 8; ++i)
    size += uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * (i - 4));
  return bytes.size() < size;
}

// Into the frame's place among pixels that are transparent elsewhere.
bool decode_frame(const FirstFrame& frame, DecodedFile& out) {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) return false;
  const int64_t stride = out.width * out.channels;
  const int64_t at = frame->y_offset * stride + frame->x_offset * out.channels;
  config.output.colorspace = out.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = out.pixels.data() + at;
  config.output.u.RGBA.stride = static_cast<int>(stride);
  config.output.u.RGBA.size = out.pixels.size() - static_cast<size_t>(at);
  return WebPDecode(frame->fragment.bytes, frame->fragment.size, &config) == VP8_STATUS_OK;
}

}  // namespace

DecodedFile decode_webp(std::string_view bytes, std::string_view name) {
  const WebPData data = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  const auto corrupt = [&] {
    refuse_data(name, ends_early(bytes) ? "WebP data is corrupt: the file ends early"
                                        : "WebP data is corrupt");
  };
  const Demuxer demuxer(WebPDemux(&data));
  if (!demuxer) corrupt();
  const FirstFrame frame(demuxer.get());
  if (!frame) corrupt();
  DecodedFile out{WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
                  WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT),
                  3,
                  {}};
  refuse_too_large(out.width, out.height, name);
  const bool is_whole = frame->width == out.width && frame->height == out.height;
  if (frame->has_alpha || !is_whole) out.channels = 4;
  out.pixels.resize(static_cast<size_t>(out.width * out.height * out.channels));
  if (!decode_frame(frame, out)) corrupt();
  out.orientation = orientation_in(demuxer.get());
  out.is_animated = WebPDemuxGetI(demuxer.get(), WEBP_FF_FRAME_COUNT) > 1;
  return out;
}

}  // namespace vitrine
