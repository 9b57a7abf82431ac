// evaluation_page.h - an evaluation as one page for people: figures, then each utterance, the worst
// first, to listen to.  Only the sounds lie beside it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kani/base/json.h"

namespace kani {

inline constexpr size_t kMostShown = 200;    // utterances on the page; eval.json has all
inline constexpr size_t kMostPictured = 60;  // of them have pictures

/// Indices of evaluation["utterances"] that were judged: more faults first, then more word errors.
std::vector<size_t> worst_first(const Json& evaluation);

/// `evaluation` is the document eval.json; `pictures` are PNG files by the name of their sound.
std::string evaluation_page(const Json& evaluation,
                            const std::map<std::string, std::string>& pictures);

/// The text as words, those that were not heard marked; the heard text, those that were not said
/// marked.  HTML.
struct MarkedTexts {
  std::string spoken, heard;
};
MarkedTexts marked_texts(const std::string& spoken, const std::string& heard,
                         const std::string& language);

}  // namespace kani
