//! [`boxed`]: an `async fn` whose code stays in its crate.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Block, FnArg, GenericParam, Lifetime, LifetimeParam, ReturnType, Signature, TypeReference,
    Visibility, parse::Parse, parse::ParseStream, parse_quote, visit_mut::VisitMut,
};

/// Makes an `async fn` return its future in a box.
///
/// The compiler makes the code of an `async fn` anew in each crate that awaits it, with all that it calls. Of a function
/// that returns a box it makes the code once, where the function stands: the workspace compiles in a fraction of the time,
/// the program is smaller, and what a function needs while it runs is not part of its callers. It costs an allocation a
/// call, so it is for what waits anyway: queries, requests, whole steps of a service.
///
/// References and elided lifetimes of the arguments each get a lifetime that outlives the future. The future is `Send`.
#[proc_macro_attribute]
pub fn boxed(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    if !arguments.is_empty() {
        return error("`boxed` takes no arguments").into();
    }
    match syn::parse::<Function>(item).map(Function::boxed) {
        Ok(tokens) => tokens.into(),
        Err(err) => err.into_compile_error().into(),
    }
}

/// A function or method with a body; `syn`'s own types tell the two apart, which does not matter here.
struct Function {
    attributes: Vec<syn::Attribute>,
    visibility: Visibility,
    signature: Signature,
    body: Block,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attributes: input.call(syn::Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

impl Function {
    fn boxed(mut self) -> TokenStream {
        if self.signature.asyncness.take().is_none() {
            return error("`boxed` is for an `async fn`");
        }
        let output = match &self.signature.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, output) => quote!(#output),
        };
        let mut named = Named::default();
        for argument in &mut self.signature.inputs {
            named.visit_fn_arg_mut(argument);
        }
        let has_receiver = self.signature.receiver().is_some();
        let generics = &mut self.signature.generics;
        for lifetime in named.0 {
            generics.params.push(GenericParam::Lifetime(LifetimeParam::new(lifetime)));
        }
        let outlive: Vec<TokenStream> = generics
            .params
            .iter()
            .filter_map(|parameter| match parameter {
                GenericParam::Lifetime(it) => {
                    let lifetime = &it.lifetime;
                    Some(quote!(#lifetime: 'boxed))
                }
                GenericParam::Type(it) => {
                    let name = &it.ident;
                    Some(quote!(#name: 'boxed))
                }
                GenericParam::Const(_) => None,
            })
            .collect();
        generics.params.push(parse_quote!('boxed));
        let clause = generics.make_where_clause();
        for bound in outlive {
            clause.predicates.push(parse_quote!(#bound));
        }
        if has_receiver {
            clause.predicates.push(parse_quote!(Self: 'boxed));
        }
        self.signature.output = parse_quote! {
            -> ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<Output = #output> + ::core::marker::Send + 'boxed
            >>
        };
        let Self { attributes, visibility, signature, body } = self;
        quote! {
            #(#attributes)*
            // What the function's author wrote is not complex.
            #[allow(clippy::type_complexity)]
            #visibility #signature {
                ::std::boxed::Box::pin(async move {
                    // Says the type, which a block cannot have otherwise.
                    if let ::core::option::Option::Some(never) = ::core::option::Option::None::<#output> {
                        return never;
                    }
                    let output: #output = #body;
                    #[allow(unreachable_code)]
                    output
                })
            }
        }
    }
}

/// Gives a name to every lifetime that has none.
#[derive(Default)]
struct Named(Vec<Lifetime>);

impl Named {
    fn next(&mut self) -> Lifetime {
        let name = format!("'boxed{}", self.0.len());
        let lifetime = Lifetime::new(&name, Span::call_site());
        self.0.push(lifetime.clone());
        lifetime
    }
}

impl VisitMut for Named {
    fn visit_fn_arg_mut(&mut self, argument: &mut FnArg) {
        match argument {
            FnArg::Receiver(receiver) => {
                if let Some((_, lifetime)) = &mut receiver.reference {
                    let name = match lifetime.take() {
                        Some(given) if given.ident != "_" => given,
                        _ => self.next(),
                    };
                    if let syn::Type::Reference(shown) = &mut *receiver.ty {
                        shown.lifetime = Some(name.clone());
                    }
                    *lifetime = Some(name);
                }
            }
            FnArg::Typed(typed) => self.visit_type_mut(&mut typed.ty),
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.next());
        }
        syn::visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.next();
        }
    }

    // Lifetimes of these are their own.
    fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}
    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        _: &mut syn::ParenthesizedGenericArguments,
    ) {
    }
}

fn error(message: &str) -> TokenStream {
    syn::Error::new(Span::call_site(), message).into_compile_error()
}
