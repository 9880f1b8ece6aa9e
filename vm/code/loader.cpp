#include "vm/code/loader.h"

#include <algorithm>
#include <numeric>

#include "vm/code/assembler.h"
#include "vm/code/constants.h"
#include "vm/code/exception_ranges.h"
#include "vm/code/expander.h"
#include "vm/code/module_file.h"
#include "vm/code/verifier.h"

namespace quelea {
namespace {

const ExportIdentity* find_export_of(void* registry, Term module, Term function,
                                     std::uint32_t arity) {
  return static_cast<CodeRegistry*>(registry)->intern_export(module, function, arity);
}

/// One load, step by step; a step that fails sets `error` and the rest is skipped.
class Loading {
 public:
  Loading(const LoadContext& context, std::unique_ptr<ModuleImage> image)
      : context_(context),
        image_(std::move(image)),
        module_(std::make_unique<LoadedModule>()),
        builder_(context.registry.literals()) {}

  bool check();
  bool make();

  std::string error;
  std::unique_ptr<LoadedModule> take() { return std::move(module_); }

 private:
  bool refuse(std::string reason) {
    error = "module " + image_->names[image_->name] + ": " + std::move(reason);
    return false;
  }
  Term atom(NameId name);
  bool resolve();
  void describe_lambdas();
  bool expand();
  void describe_functions(const Word* code);
  void describe_exports();
  void keep_rest();

  const LoadContext& context_;
  std::unique_ptr<ModuleImage> image_;
  std::unique_ptr<LoadedModule> module_;
  LiteralArea::Builder builder_;
  std::vector<Term> atoms_;
  bool atoms_failed_ = false;
  std::vector<Export*> imports_;
  std::vector<const NativeEntry*> natives_;
  /// Functions in the order of their code, and the other way round.
  std::vector<std::uint32_t> order_, position_;
};

bool Loading::check() {
  EtfDecodeOptions options;
  options.atoms_of = context_.atoms_of;
  options.find_export = find_export_of;
  options.context = &context_.registry;
  ConstantTerms constants = decode_constants(*image_, builder_, context_.atoms, options);
  if (!constants.error.empty()) return refuse(constants.error);
  if (!builder_.ok()) return refuse("no room for literals");
  module_->constants = std::move(constants.terms);
  VerifyResult verified = verify_module(*image_, module_->constants, context_.atoms);
  if (!verified.ok) return refuse(verified.message(*image_));
  return resolve();
}

Term Loading::atom(NameId name) {
  if (atoms_.empty()) atoms_.assign(image_->names.size(), Term::none());
  Term& known = atoms_[name];
  if (known.is_none()) known = context_.atoms.intern(image_->names[name], context_.atoms_of);
  if (known.is_none()) atoms_failed_ = true;
  return known;
}

bool Loading::resolve() {
  module_->name = atom(image_->name);
  for (const ImageImport& native : image_->natives) {
    const std::string& module = image_->names[native.module];
    const std::string& name = image_->names[native.name];
    const NativeEntry* entry = context_.find_native(module, name, native.arity);
    if (entry == nullptr || entry->arity != native.arity)
      return refuse("no native function " + module + "." + name + "/" +
                    std::to_string(native.arity));
    natives_.push_back(entry);
  }
  for (const ImageImport& import : image_->imports) {
    atom(import.module);
    atom(import.name);
  }
  for (const ImageFunction& function : image_->functions) atom(function.name);
  if (atoms_failed_) return refuse("a name that is no valid atom, or too many atoms");
  return true;
}

bool Loading::make() {
  for (const ImageImport& import : image_->imports)
    imports_.push_back(
        context_.registry.intern_export(atom(import.module), atom(import.name), import.arity));
  order_.resize(image_->functions.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return image_->functions[a].code_begin < image_->functions[b].code_begin;
  });
  position_.resize(order_.size());
  for (std::uint32_t i = 0; i < order_.size(); ++i) position_[order_[i]] = i;
  describe_lambdas();
  if (!expand()) return false;
  describe_exports();
  keep_rest();
  builder_.keep();
  return true;
}

void Loading::describe_lambdas() {
  module_->lambdas.resize(image_->lambdas.size());
  for (std::uint32_t i = 0; i < image_->lambdas.size(); ++i) {
    const ImageLambda& lambda = image_->lambdas[i];
    const ImageFunction& function = image_->functions[lambda.function];
    FunEntry& entry = module_->lambdas[i];
    entry.module = module_->name;
    entry.function = atom(function.name);
    entry.arity = function.arity - function.captured;
    entry.index = i;
    entry.captured = lambda.captured;
    entry.unique = lambda.unique;
    entry.version = module_.get();
  }
}

bool Loading::expand() {
  ExpandContext context{*image_,  context_.handlers, context_.red_zone_bytes, module_->constants,
                        imports_, natives_,          module_->lambdas};
  Expander expander(context);
  module_->functions.resize(image_->functions.size());
  for (std::uint32_t i = 0; i < order_.size(); ++i) {
    const ImageFunction& source = image_->functions[order_[i]];
    expander.expand_function(order_[i]);
    LoadedFunction& function = module_->functions[i];
    function.lines_begin = static_cast<std::uint32_t>(module_->lines.size());
    for (std::uint32_t l = source.lines_begin; l < source.lines_end; ++l) {
      const LineEntry& line = image_->lines[l];
      module_->lines.push_back({expander.word_at(line.offset), line.line, line.file, line.inlined});
    }
    function.lines_end = static_cast<std::uint32_t>(module_->lines.size());
    function.exceptions_begin = static_cast<std::uint32_t>(module_->exceptions.size());
    std::span<const ExceptionEntry> entries(image_->exceptions.data() + source.exceptions_begin,
                                            source.exceptions_end - source.exceptions_begin);
    for (ExceptionSpan span : flatten_exceptions(entries)) {
      const ExceptionEntry& entry = entries[span.entry];
      std::uint32_t start = expander.word_at(span.start), end = expander.word_at(span.end);
      if (start == end) continue;
      module_->exceptions.push_back({start, end, expander.word_at(entry.handler), entry.kind});
    }
    function.exceptions_end = static_cast<std::uint32_t>(module_->exceptions.size());
    function.entry = reinterpret_cast<const Word*>(std::uintptr_t{expander.entry_of(order_[i])});
    function.end = reinterpret_cast<const Word*>(expander.size());
  }
  // A module without functions has an address too.
  std::size_t words = std::max<std::size_t>(expander.size(), 1);
  if (words > UINT32_MAX) return refuse("too much code");
  Word* code = context_.registry.code().allocate(words);
  if (code == nullptr) return refuse("no room for code");
  expander.place(code);
  module_->code = code;
  module_->code_words = words;
  module_->live_maps = expander.take_live_maps();
  for (std::uint32_t i = 0; i < order_.size(); ++i) {
    std::uint32_t entry = expander.entry_of(order_[i]);
    code[entry - 1] = reinterpret_cast<Word>(&module_->functions[i]);
  }
  describe_functions(code);
  return true;
}

void Loading::describe_functions(const Word* code) {
  for (std::uint32_t i = 0; i < order_.size(); ++i) {
    const ImageFunction& source = image_->functions[order_[i]];
    LoadedFunction& function = module_->functions[i];
    function.module = module_.get();
    function.name = atom(source.name);
    function.arity = source.arity;
    function.captured = source.captured;
    function.frame_slots = source.frame_slots;
    function.line = source.line;
    function.exported = source.exported;
    // `expand` left word numbers, because the code had no address yet.
    function.entry = code + reinterpret_cast<std::uintptr_t>(function.entry);
    function.end = code + reinterpret_cast<std::uintptr_t>(function.end);
  }
  for (const ImageInline& one : image_->inlines)
    module_->inlines.push_back(
        {&module_->functions[position_[one.function]], one.caller, one.line, one.file});
  for (std::uint32_t i = 0; i < image_->lambdas.size(); ++i)
    module_->lambdas[i].entry = module_->functions[position_[image_->lambdas[i].function]].entry;
}

void Loading::describe_exports() {
  std::vector<std::uint32_t>& exports = module_->exports;
  for (std::uint32_t i = 0; i < module_->functions.size(); ++i)
    if (module_->functions[i].exported) exports.push_back(i);
  std::sort(exports.begin(), exports.end(), [&](std::uint32_t a, std::uint32_t b) {
    const LoadedFunction &left = module_->functions[a], &right = module_->functions[b];
    return std::pair(left.name.bits, left.arity) < std::pair(right.name.bits, right.arity);
  });
}

void Loading::keep_rest() {
  module_->files = std::move(image_->files);
  module_->source_hash = image_->source_hash;
  for (ImageTest& test : image_->tests)
    module_->tests.push_back({std::move(test.name), &module_->functions[position_[test.function]],
                              test.line, test.doc_example});
  for (const ImageAttribute& attribute : image_->attributes) {
    Term name = atom(attribute.name);
    if (!name.is_none())
      module_->attributes.emplace_back(name, module_->constants[attribute.constant]);
  }
  // What was turned into something else would only take room.
  image_->code = {};
  image_->lines = {};
  image_->inlines = {};
  image_->exceptions = {};
  image_->constants = {};
  image_->functions = {};
  module_->image = std::move(image_);
}

}  // namespace

PrepareResult prepare_module(const LoadContext& context, std::unique_ptr<ModuleImage> image) {
  std::lock_guard guard(context.registry.load_lock());
  Loading loading(context, std::move(image));
  if (!loading.check() || !loading.make()) return {nullptr, std::move(loading.error)};
  std::unique_ptr<LoadedModule> module = loading.take();
  if (context.specialise != nullptr) context.specialise(*module);
  return {std::move(module), {}};
}

PrepareResult prepare_module(const LoadContext& context, std::string_view file) {
  ModuleFileResult read = read_module_code(file);
  if (read.image == nullptr) return {nullptr, read.error.message()};
  return prepare_module(context, std::move(read.image));
}

LoadResult load_module(const LoadContext& context, std::unique_ptr<ModuleImage> image) {
  PrepareResult prepared = prepare_module(context, std::move(image));
  if (prepared.module == nullptr) return {nullptr, std::move(prepared.error)};
  return {context.registry.install(std::move(prepared.module)), {}};
}

LoadResult load_module(const LoadContext& context, std::string_view file) {
  PrepareResult prepared = prepare_module(context, file);
  if (prepared.module == nullptr) return {nullptr, std::move(prepared.error)};
  return {context.registry.install(std::move(prepared.module)), {}};
}

std::string check_module(const LoadContext& context, std::string_view file) {
  ModuleFileResult read = read_module(file);
  if (read.image == nullptr) return read.error.message();
  std::lock_guard guard(context.registry.load_lock());
  Loading loading(context, std::move(read.image));
  loading.check();
  return std::move(loading.error);
}

std::unique_ptr<ModuleImage> native_module_image(
    std::string_view module,
    const std::vector<std::pair<std::string_view, std::uint32_t>>& natives) {
  auto image = std::make_unique<ModuleImage>();
  image->name = image->names.intern(module);
  Assembler code(*image);
  for (auto [name, arity] : natives) {
    auto index = static_cast<std::uint32_t>(image->natives.size());
    NameId id = image->names.intern(name);
    image->natives.push_back({image->name, id, arity});
    ImageFunction function;
    function.name = id;
    function.arity = arity;
    function.frame_slots = arity + 1;
    function.exported = true;
    code.begin_function(function);
    code.emit(op_tail_native, NativeRef{index});
    code.end_function();
  }
  return image;
}

}  // namespace quelea
