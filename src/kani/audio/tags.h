// tags.h - what a file says about itself: that its speech is synthetic, and by which program.
// Source: interfaces.md 8.6; RIFF INFO (IBM, Microsoft 1991); ID3v2.4 (id3.org 2000).
#pragma once

#include <string>

#include "kani/audio/pcm.h"

namespace kani {

struct SoundTags {
  std::string program;    // "kani 0.1.0"
  std::string statement;  // that the speech is synthetic
  std::string title;      // may be empty
};

/// The tags of this build; `title` is cut at its first NUL.
SoundTags make_tags(const std::string& title);

/// A LIST chunk of type INFO with ISFT, ICMT and, if there is a title, INAM; an even number of
/// bytes.
Bytes riff_info_chunk(const SoundTags& tags);

/// A whole ID3v2.4 tag: TSSE, TXXX with the statement, TIT2 if there is a title; UTF-8.
Bytes id3_tag(const SoundTags& tags);

}  // namespace kani
