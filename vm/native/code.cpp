// Natives on modules and functions: compiling, loading, looking at what is loaded.
#include "vm/code/code_registry.h"
#include "vm/code/loader.h"
#include "vm/interp/load.h"
#include "vm/native/list_builder.h"
#include "vm/native/posix.h"
#include "vm/proc/local.h"
#include "vm/proc/memory_guard.h"
#include "vm/term/fun.h"

namespace quelea {
namespace {

/// None with system_limit raised where there is no room for them.
Term text_list(Process& p, const std::vector<std::string>& texts) {
  ListBuilder out(p);
  for (const std::string& text : texts) {
    if (!out.push_made(text_term(p, text))) return Term::none();
  }
  return out.finish();
}

const LoadedModule* loaded_module(Process& p, Term name) { return p.vm().code().find_module(name); }

}  // namespace

Term prim_code_compile(Process& p, Args args) {
  Bytes source;
  Path file;
  if (!source.get(args[0]) || !file.get(args[1])) return badarg(p);
  const CompilerClaim claim(p.vm().memory(), source.size());
  if (!claim.has_room()) return system_limit(p);
  const CompileOutcome outcome = p.vm().host().compile(source.text(), file.text());
  charge_bytes(p, 256 * source.size());
  const Term texts = text_list(p, outcome.ok ? outcome.warnings : outcome.errors);
  if (texts.is_none()) return texts;
  if (!outcome.ok) return error_tuple(p, texts);
  ListBuilder modules(p);
  for (const ModuleBytes& module : outcome.modules) {
    const Term name = p.vm().atoms().request(module.name);
    const Term bytes = binary_from_bytes(p, module.bytes.data(), module.bytes.size());
    if (name.is_none() || bytes.is_none()) return system_limit(p);
    modules.push(p.tuple(name, bytes));
  }
  return p.tuple(atoms::ok, modules.finish(), texts);
}

Term prim_code_load(Process& p, Args args) {
  if (p.vm().memory().is_tight()) return system_limit(p);
  if (!p.vm().loading().enter(p)) return Term::none();
  const TurnHold hold(p.vm().loading(), p.local());
  // Everything is made ready before anything is installed: all or none.
  std::vector<std::unique_ptr<LoadedModule>> ready;
  const LoadContext context = load_context(p.vm());
  Term rest = args[0];
  for (; rest.is_cons(); rest = rest.tail()) {
    Bytes bytes;
    const Term item = rest.head();
    if (!is_pair(item) || !tuple_at(item, 0).is_atom() || !bytes.get(tuple_at(item, 1))) {
      return badarg(p);
    }
    PrepareResult prepared = prepare_module(context, bytes.text());
    charge_bytes(p, 64 * bytes.size());
    if (prepared.module == nullptr) return error_tuple(p, binary_from_text(p, prepared.error));
    if (prepared.module->name != tuple_at(item, 0)) {
      return error_tuple(p,
                         binary_from_text(p, "the bytecode is that of module " +
                                                 std::string(text_of(p, prepared.module->name))));
    }
    ready.push_back(std::move(prepared.module));
  }
  if (!rest.is_nil_list()) return badarg(p);
  ListBuilder names(p);
  for (const auto& module : ready) names.push(module->name);
  const Term result = ok_tuple(p, names.finish());
  p.vm().code().install_all(ready);
  return result;
}

Term prim_code_check(Process& p, Args args) {
  Bytes bytes;
  if (!args[0].is_atom() || !bytes.get(args[1])) return badarg(p);
  if (!p.vm().loading().enter(p)) return Term::none();
  const TurnHold hold(p.vm().loading(), p.local());
  const std::string error = check_module(load_context(p.vm()), bytes.text());
  charge_bytes(p, 64 * bytes.size());
  return error.empty() ? atoms::ok : error_tuple(p, binary_from_text(p, error));
}

Term prim_code_ensure_loaded(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  const Vm::Loaded loaded = p.vm().autoload_for(p, args[0]);
  if (loaded == Vm::Loaded::NoRoom) return system_limit(p);
  return loaded == Vm::Loaded::Later ? Term::none() : make_bool(loaded == Vm::Loaded::Yes);
}

Term prim_code_loaded(Process& p, Args) {
  ListBuilder out(p);
  for (const LoadedModule* module : p.vm().code().modules()) out.push(module->name);
  return out.finish();
}

Term prim_code_which(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  const LoadedModule* module = loaded_module(p, args[0]);
  if (module == nullptr || module->files.empty()) return atoms::nil;
  return text_term(p, module->files[0]);
}

Term prim_code_exports(Process& p, Args args) {
  if (!args[0].is_atom()) return badarg(p);
  const LoadedModule* module = loaded_module(p, args[0]);
  if (module == nullptr) return atoms::nil;
  ListBuilder out(p);
  for (std::uint32_t index : module->exports) {
    const LoadedFunction& function = module->functions[index];
    out.push(p.tuple(function.name, Term::small(function.arity)));
  }
  return out.finish();
}

Term prim_function_exported(Process& p, Args args) {
  if (!args[0].is_atom() || !args[1].is_atom() || !args[2].is_small()) return badarg(p);
  if (args[2].small_value() < 0 || args[2].small_value() > 255) return atoms::false_;
  const Vm::Loaded loaded = p.vm().autoload_for(p, args[0]);
  if (loaded == Vm::Loaded::Later) return Term::none();
  if (loaded == Vm::Loaded::NoRoom) return system_limit(p);
  if (loaded == Vm::Loaded::No) return atoms::false_;
  const Export* found = p.vm().code().find_export(
      args[0], args[1], static_cast<std::uint32_t>(args[2].small_value()));
  return make_bool(found != nullptr && found->has_code());
}

Term prim_fun_info(Process& p, Args args) {
  const Term fun = args[0];
  if (!is_fun(fun)) return badarg(p);
  MapOf info(p);
  if (header_of(fun).kind() == Kind::ExportFun) {
    const ExportIdentity& identity = export_identity(fun);
    return info.put("type", atom_of(p, "external"))
        .put("module", identity.module)
        .put("name", identity.function)
        .put("arity", identity.arity)
        .put("captured", Term::nil_list())
        .finish();
  }
  const FunIdentity& identity = fun_identity(fun);
  ListBuilder captured(p);
  for (std::size_t i = 0; i < fun_captured(fun); ++i) captured.push(fun_captured_at(fun, i));
  return info.put("type", atom_of(p, "local"))
      .put("module", identity.module)
      .put("name", identity.function)
      .put("arity", identity.arity)
      .put("captured", captured.finish())
      .finish();
}

}  // namespace quelea
