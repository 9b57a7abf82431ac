// The table of voices: folders and their order, names of four kinds, mixes, adding and removing.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "kani/base/file.h"
#include "kani/engine/voice_names.h"
#include "kani/formats/voice_file.h"
#include "kani/voice.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class VoiceStore : public testing::Test {
 protected:
  VoiceStore() {
    std::string name = fs::temp_directory_path() / "kani-voices-XXXXXX";
    root_ = fs::canonical(mkdtemp(name.data()));
    setenv("XDG_DATA_HOME", (root_ / "data").c_str(), 1);
    setenv("KANI_MODEL", (root_ / "set").c_str(), 1);
    touch("set/lm/config.json");
  }
  ~VoiceStore() override {
    fs::remove_all(root_);
    unsetenv("XDG_DATA_HOME");
    unsetenv("KANI_MODEL");
  }

  fs::path touch(const fs::path& file, std::string_view text = "{}") {
    fs::create_directories((root_ / file).parent_path());
    write_file(root_ / file, text);
    return root_ / file;
  }
  fs::path put(const fs::path& file, std::vector<float> values,
               const std::map<std::string, std::string>& details = {}) {
    fs::create_directories((root_ / file).parent_path());
    write_voice(root_ / file, *voice_format_of(file.extension().string().substr(1)), values,
                details);
    return root_ / file;
  }
  // A model whose voices have two numbers; its configuration is never looked at.
  VoiceLibrary library(std::vector<fs::path> folders = {}) const {
    return VoiceLibrary({root_ / "set", std::move(folders), 2});
  }
  fs::path user() const { return root_ / "data" / "kani" / "voices"; }

  fs::path root_;
};

template <typename Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error;
  }
  ADD_FAILURE() << "accepted";
  return Error(ErrorCode::kInternal, "");
}

template <typename Call>
ErrorCode code_of(Call call) {
  return error_of(call).code();
}

using Values = std::vector<float>;

TEST_F(VoiceStore, voices_are_listed_in_order_and_only_by_good_names) {
  put("set/voices/anna.json", {1, 0});
  put("set/voices/default.json", {2, 0});
  touch("set/voices/.hidden.json");
  touch("set/voices/notes.txt");
  touch("set/voices/a b.json");
  put("data/kani/voices/ANNA.json", {3, 0});
  put("data/kani/voices/ben.json", {4, 0});
  const VoiceLibrary store = library();
  std::vector<std::string> names;
  for (const VoiceEntry& entry : store.entries()) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"anna", "default", "ben"}));
  EXPECT_EQ(store.entries()[2].place, VoicePlace::kUser);
  EXPECT_EQ(store.default_voice(), "default");
  EXPECT_EQ(store.load("Anna").values, (Values{1, 0}));
  EXPECT_EQ(store.load("Anna").name, "anna");
  EXPECT_EQ(code_of([&] { store.load("../data/kani/voices/ben"); }), ErrorCode::kNotFound);
}

TEST_F(VoiceStore, folders_that_are_named_come_first) {
  put("set/voices/anna.json", {1, 0});
  put("one/anna.npy", {2, 0});
  put("two/anna.npy", {3, 0});
  put("two/ben.pt", {4, 0});
  const VoiceLibrary store = library({root_ / "one", root_ / "two"});
  EXPECT_EQ(store.load("anna").values, (Values{2, 0}));
  EXPECT_EQ(store.load("ben").values, (Values{4, 0}));
  EXPECT_EQ(store.entries().size(), 2U);
  EXPECT_EQ(store.home(), root_ / "one");
  EXPECT_EQ(store.default_voice(), "anna") << "the model's only voice, now another one";
  const Error missing = error_of([&] { library({root_ / "none"}); });
  EXPECT_EQ(missing.code(), ErrorCode::kNotFound);
}

TEST_F(VoiceStore, the_map_of_names_may_say_which_voice_is_the_default) {
  put("set/voices/anna.json", {1, 0});
  put("set/voices/ben.json", {2, 0});
  EXPECT_EQ(library().default_voice(), "");
  touch("set/voices/speaker_map.json", R"j({"default":"./ben.json"})j");
  const VoiceLibrary store = library();
  EXPECT_EQ(store.default_voice(), "ben");
  EXPECT_EQ(store.entries().size(), 2U);
  EXPECT_EQ(store.load("default").values, (Values{2, 0}));
}

TEST_F(VoiceStore, our_own_format_wins_over_others_of_the_same_name) {
  put("set/voices/anna.json", {1, 0});
  put("set/voices/anna.pt", {2, 0});
  put("set/voices/anna.safetensors", {3, 0});
  EXPECT_EQ(library().load("anna").values, (Values{3, 0}));
  EXPECT_EQ(library().entries().size(), 1U);
}

TEST_F(VoiceStore, identifier_then_display_name_then_alias_then_openai) {
  put("set/voices/a.safetensors", {1, 0}, {{"name", "b"}});
  put("set/voices/b.safetensors", {2, 0}, {{"name", "Große Stimme"}});
  put("set/voices/speakers/c.pt", {3, 0});
  put("set/voices/echo.pt", {4, 0});
  touch("set/voices/speaker_map.json",
        R"j({"David (en)":"./speakers/c.pt","Große Stimme":"a.safetensors","Gone":"gone.pt"})j");
  const VoiceLibrary store = library();
  EXPECT_EQ(store.entries().size(), 4U) << "the map is no voice";
  EXPECT_EQ(store.load("b").values, (Values{2, 0})) << "the identifier, not a's display name";
  EXPECT_EQ(store.load("Große Stimme").values, (Values{2, 0})) << "the display name, not the map";
  EXPECT_EQ(store.load("David (en)").values, (Values{3, 0})) << "no mix";
  EXPECT_EQ(store.load("c").values, (Values{3, 0}));
  EXPECT_EQ(store.load("echo").values, (Values{4, 0})) << "a voice of that name, not OpenAI's";
  EXPECT_EQ(store.find("große stimme"), nullptr);
  EXPECT_EQ(store.find("Gone"), nullptr);
  EXPECT_EQ(store.find("d"), nullptr);
}

TEST_F(VoiceStore, all_names_of_openai_are_voices_if_there_is_one) {
  EXPECT_EQ(library().find("alloy"), nullptr);
  put("data/kani/voices/a.pt", {1, 0});
  for (const std::string_view name : kOpenAiVoices)
    EXPECT_EQ(library().load(std::string(name)).values, (Values{1, 0}));
  put("data/kani/voices/b.pt", {2, 0});
  put("data/kani/voices/long.pt", {2, 0, 0});
  touch("data/kani/voices/broken.pt");
  const VoiceLibrary store = library();
  EXPECT_EQ(store.load("alloy").name, "a");
  EXPECT_EQ(store.load("Ash").name, "b");
  EXPECT_EQ(store.load("ballad").name, "a") << "what does not fit the model is left out";
  touch("data/kani/voices/openai_voices.json", R"({"alloy":"B","verse":"nobody"})");
  EXPECT_EQ(library().load("alloy").name, "b");
  EXPECT_EQ(library().load("verse").name, "a") << "nobody is not there";
  touch("data/kani/voices/openai_voices.json", "{");
  EXPECT_EQ(library().load("alloy").name, "a") << "a broken file hides nothing";
}

TEST_F(VoiceStore, mixes_are_weighted_means) {
  put("set/voices/a.safetensors", {1, 0}, {{"language", "en"}});
  put("set/voices/b.safetensors", {0, 1}, {{"language", "en"}});
  put("set/voices/c.pt", {0, -1, 0});
  const fs::path file = put("other.npy", {1, 1});
  const VoiceLibrary store = library();
  const Voice mixed = store.load("A(3)+b(1)");
  EXPECT_EQ(mixed.values, (Values{0.75F, 0.25F}));
  EXPECT_EQ(mixed.language, "en");
  EXPECT_EQ(store.load(concat("a(1)+", file.string(), "(1)")).values, (Values{1, 0.5F}));
  EXPECT_EQ(store.load("a(2)").values, (Values{1, 0}));
  EXPECT_EQ(store.load("alloy(1)+ash(1)").values, (Values{0.5F, 0.5F}));
  EXPECT_EQ(code_of([&] { store.load("a(1)+nobody(1)"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { store.load("a(1)(1)"); }), ErrorCode::kNotFound) << "no mix in a mix";
  EXPECT_EQ(code_of([&] { store.load("a(1)+c(1)"); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { store.load("a(1)+"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { store.load("a+b"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { store.load(std::string(100'000, '(')); }), ErrorCode::kInvalidArgument);
}

TEST_F(VoiceStore, strangers_name_no_paths) {
  const fs::path file = put("other.npy", {1, 1});
  put("set/voices/a.pt", {1, 0});
  const VoiceLibrary store = library();
  EXPECT_EQ(store.load(file).values, (Values{1, 1}));
  EXPECT_EQ(store.load_named("a").values, (Values{1, 0}));
  for (const std::string& name :
       {file.string(), file.string() + "(1)", concat("a(1)+", file.string(), "(1)"),
        std::string("../other.npy"), std::string("voices/a"), std::string("a.pt"),
        std::string("a\0b", 3), std::string(10'000, 'a')})
    EXPECT_EQ(code_of([&] { store.load_named(name); }), ErrorCode::kNotFound) << name;
}

TEST_F(VoiceStore, a_voice_of_another_length_is_refused_with_both) {
  put("set/voices/a.pt", {1, 0, 0});
  const Error error = error_of([&] { library().load("a"); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_NE(std::string(error.what()).find("voice has 3 numbers, the model takes 2"),
            std::string::npos);
}

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

TEST_F(VoiceStore, added_voices_are_for_their_owner_and_are_not_replaced_by_chance) {
  VoiceLibrary store = library();
  const Voice anna{
      .name = "anna", .values = {1, 0}, .language = "de", .details = {{"consent", "x"}}};
  const fs::path file = store.add(anna, {});
  EXPECT_EQ(file, user() / "anna.safetensors");
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_EQ(mode_of(user()), 0700U);
  EXPECT_EQ(store.load("ANNA").language, "de");
  EXPECT_EQ(store.load("anna").details.at("consent"), "x");
  Voice again = anna;
  again.name = "Anna";
  again.values = {0, 1};
  const Error refused = error_of([&] { store.add(again, {}); });
  EXPECT_EQ(refused.code(), ErrorCode::kCannotWrite);
  EXPECT_EQ(refused.hint(), "--force replaces it");
  EXPECT_EQ(store.load("anna").values, (Values{1, 0}));
  store.add(again, {.replace = true});
  EXPECT_EQ(store.load("anna").values, (Values{0, 1}));
  EXPECT_EQ(store.entries().size(), 1U);
  EXPECT_FALSE(fs::exists(file)) << "Anna has taken its place";
  for (const char* bad : {"", "random", "a/b", "../x", "a b"}) {
    again.name = bad;
    EXPECT_EQ(code_of([&] { store.add(again, {}); }), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST_F(VoiceStore, a_voice_that_would_be_hidden_is_not_added) {
  put("set/voices/anna.json", {1, 0});
  VoiceLibrary store = library();
  const Voice anna{.name = "Anna", .values = {1, 0}};
  EXPECT_EQ(code_of([&] { store.add(anna, {.replace = true}); }), ErrorCode::kCannotWrite);
  EXPECT_FALSE(fs::exists(user()));
  fs::create_directories(root_ / "mine");
  VoiceLibrary own = library({root_ / "mine/"});
  own.add(anna, {});
  EXPECT_EQ(own.load("anna").path, root_ / "mine" / "Anna.safetensors")
      << "found before the model's";
  EXPECT_EQ(own.remove("anna").size(), 1U);
}

TEST_F(VoiceStore, recordings_are_kept_if_asked_and_go_with_the_voice) {
  const fs::path recording = touch("a.wav", "sound");
  VoiceLibrary store = library();
  const Voice anna{.name = "anna", .values = {1, 0}};
  store.add(anna, {.recordings = {recording, recording}});
  EXPECT_EQ(read_file(user() / "anna.recordings" / "2.wav", 100), "sound");
  EXPECT_EQ(mode_of(user() / "anna.recordings" / "1.wav"), 0600U);
  EXPECT_EQ(mode_of(user() / "anna.recordings"), 0700U);
  put("data/kani/voices/anna.pt", {1, 0});
  put("data/kani/voices/annabel.pt", {1, 0});
  EXPECT_EQ(store.remove("ANNA"),
            (std::vector<fs::path>{user() / "anna.pt", user() / "anna.recordings",
                                   user() / "anna.safetensors"}));
  EXPECT_EQ(store.entries().size(), 1U);
  EXPECT_TRUE(fs::exists(recording));
  EXPECT_EQ(code_of([&] { store.remove("anna"); }), ErrorCode::kNotFound);
}

TEST_F(VoiceStore, what_fails_leaves_nothing) {
  VoiceLibrary store = library();
  const Voice anna{.name = "anna", .values = {1, 0}};
  EXPECT_EQ(code_of([&] { store.add(anna, {.recordings = {root_ / "none.wav"}}); }),
            ErrorCode::kNotFound);
  EXPECT_TRUE(fs::is_empty(user()));
  const Voice nothing{.name = "anna", .values = {}};
  EXPECT_EQ(code_of([&] { store.add(nothing, {.recordings = {touch("a.wav")}}); }),
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fs::is_empty(user()));
  fs::remove(user());
  touch("data/kani/voices", "a file");
  EXPECT_EQ(code_of([&] { store.add(anna, {}); }), ErrorCode::kCannotWrite);
}

TEST_F(VoiceStore, links_are_removed_and_not_followed) {
  touch("precious/anna.wav", "x");
  const fs::path outside = put("precious/anna.pt", {1, 0});
  fs::create_directories(user());
  fs::create_symlink(outside, user() / "anna.pt");
  fs::create_directory_symlink(root_ / "precious", user() / "anna.recordings");
  VoiceLibrary store = library();
  EXPECT_EQ(store.remove("anna").size(), 2U);
  EXPECT_TRUE(fs::exists(outside));
  EXPECT_TRUE(fs::is_empty(user()));
  fs::create_symlink(outside, user() / "anna.safetensors");
  fs::create_directory_symlink(root_ / "precious", user() / "anna.recordings");
  store.add({.name = "anna", .values = {0, 1}},
            {.replace = true, .recordings = {root_ / "precious" / "anna.wav"}});
  EXPECT_EQ(read_voice(outside).values, (Values{1, 0})) << "not written through the link";
  EXPECT_FALSE(fs::is_symlink(user() / "anna.recordings"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "precious"), {}), 2);
}

TEST_F(VoiceStore, voices_of_a_model_are_not_removed) {
  put("set/voices/anna.json", {1, 0});
  VoiceLibrary store = library();
  EXPECT_EQ(code_of([&] { store.remove("anna"); }), ErrorCode::kCannotWrite);
  EXPECT_EQ(code_of([&] { store.remove("alloy"); }), ErrorCode::kNotFound);
  EXPECT_TRUE(fs::exists(root_ / "set" / "voices" / "anna.json"));
}

TEST_F(VoiceStore, folders_of_other_programs) {
  put("peer/speakers/david_en.pt", {1, 0});
  put("peer/loose.npy", {1, 0});
  touch("peer/speaker_map.json", R"j({"David (en)":"./speakers/david_en.pt"})j");
  const std::vector<ForeignVoice> voices = foreign_voices(root_ / "peer");
  ASSERT_EQ(voices.size(), 2U);
  EXPECT_EQ(voices[0].display_name, "David (en)");
  EXPECT_EQ(voices[0].path, root_ / "peer" / "speakers/david_en.pt");
  EXPECT_EQ(voices[1].path, root_ / "peer" / "loose.npy");
  EXPECT_EQ(code_of([&] { foreign_voices(root_ / "none"); }), ErrorCode::kNotFound);
  touch("peer/speaker_map.json", R"({"x":"../x.pt"})");
  EXPECT_EQ(code_of([&] { foreign_voices(root_ / "peer"); }), ErrorCode::kBadInput);
}

TEST_F(VoiceStore, files_are_written_by_their_ending) {
  const Voice voice{.name = "ida", .values = {1, 2}, .language = "en"};
  for (const char* name : {"x.safetensors", "x.pt", "x.npy", "x.json"}) {
    save_voice(voice, root_ / name);
    EXPECT_EQ(read_voice(root_ / name).values, voice.values) << name;
  }
  EXPECT_EQ(read_voice(root_ / "x.json").details.at("name"), "ida");
  EXPECT_EQ(read_voice(root_ / "x.safetensors").language, "en");
  EXPECT_EQ(code_of([&] { save_voice(voice, root_ / "x.wav"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { save_voice(voice, root_ / "x"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { voice_file_bytes(voice, "PT"); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace kani
