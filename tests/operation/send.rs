//! Operations move between threads if their parts do, and may stay on one thread if not.
#![cfg(all(
    feature = "operation",
    feature = "test-util",
    not(target_family = "wasm")
))]

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::script::*;
use abreast::operation::{
    AsText, AttemptError, Category, Connection, Connects, FirstToken, FirstTokenOptions,
    FirstTokenStream, Guardrails, NoTimer, Opener, Opens, Operation, OperationFailure,
    OperationPool, Races, Retry, Source, State, Streams, Timeout, create_pool, first_token,
};
use abreast::types::AtOnce;
use abreast::{Failures, Timer};
use futures::future::{BoxFuture, FutureExt, LocalBoxFuture, Ready, ready};
use futures::stream::{self, Stream, StreamExt};

fn spawn<F>(future: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    smol::block_on(smol::spawn(future))
}

#[derive(Clone)]
struct Client(Arc<str>);

impl Client {
    fn stream(&self, prompt: &str) -> impl Stream<Item = Result<String, Fault>> + Send + use<> {
        let tokens = [self.0.to_string(), prompt.to_owned()];
        stream::iter(tokens.map(Ok))
    }

    async fn connect(
        &self,
        prompt: &str,
    ) -> Result<impl Stream<Item = Result<String, Fault>> + Send + use<>, Fault> {
        smol::future::yield_now().await;
        Ok(self.stream(prompt))
    }
}

fn client() -> Client {
    Client("client: ".into())
}

#[test]
fn static_tokens_are_spawned() {
    let content = spawn(async {
        let operation = Operation::new(|| stream::iter(["a", "b"].map(Ok::<_, &'static str>)));
        operation.await.unwrap().content
    });
    assert_eq!(content, "ab");
}

#[test]
fn connecting_sources_are_spawned() {
    let client = client();
    let state = spawn(async move {
        let prompt = String::from("Which way?");
        Operation::new(|| client.connect(&prompt))
            .fallback(|| async { client.connect(&prompt).await })
            .timer(smol::Timer::after)
            .timeout(Timeout::initial_token(secs(10)))
            .retry(Retry::recommended())
            .run()
            .await
    });
    assert_eq!(state.unwrap().content, "client: Which way?");
}

#[test]
fn borrowed_clients_are_spawned() {
    let client = client();
    let state = spawn(async move {
        let (client, prompt) = (&client, &String::from("borrowed"));
        let mut seen = Vec::new();
        let state = Operation::new(|| client.stream(prompt))
            .fallbacks([&String::from("a"), prompt].map(|prompt| move || client.stream(prompt)))
            .classify(|_: &Fault| Category::Model)
            .on_token(|token| seen.push(token.to_owned()))
            .await;
        assert_eq!(seen.len(), 2);
        state
    });
    assert_eq!(state.unwrap().token_count, 2);
}

#[test]
fn unfolded_streams_are_spawned() {
    let client = client();
    let state = spawn(async move {
        let client = &client;
        Operation::new(|| {
            stream::unfold(0, move |count| async move {
                smol::future::yield_now().await;
                (count < 3).then(|| (Ok::<_, &str>(format!("{}{count} ", client.0)), count + 1))
            })
        })
        .await
    });
    assert_eq!(state.unwrap().token_count, 3);
}

#[test]
fn streams_with_then_are_spawned() {
    let words = vec![String::from("a"), String::from("b")];
    let state = spawn(async move {
        let words = &words;
        Operation::new(|| {
            stream::iter(words).then(|word| async move {
                smol::future::yield_now().await;
                Ok::<&str, Fault>(word)
            })
        })
        .await
    });
    assert_eq!(state.unwrap().content, "ab");
}

#[test]
fn async_closures_are_sources() {
    let client = client();
    let state = spawn(async move {
        let client = &client;
        Operation::new(async move || client.connect("moved").await)
            .fallback(async || Ok(client.stream("not needed")))
            .timer(|duration| async move { smol::Timer::after(duration).await })
            .retry(Retry::recommended())
            .await
    });
    assert_eq!(state.unwrap().content, "client: moved");
}

#[test]
fn borrowed_timers_are_spawned() {
    struct Runtime {
        factor: u32,
    }

    impl Runtime {
        async fn sleep(&self, duration: Duration) {
            smol::Timer::after(duration * self.factor).await;
        }
    }

    let state = spawn(async {
        let runtime = &Runtime { factor: 1 };
        let mut calls = 0;
        Operation::new(|| {
            calls += 1;
            stream::iter([if calls == 1 { Err("no") } else { Ok("yes") }])
        })
        .timer(|duration| async move { runtime.sleep(duration).await })
        .retry(Retry::recommended().base_delay(ms(1)))
        .timeout(Timeout::inter_token(secs(10)))
        .guardrails(Guardrails::strict())
        .on_event(|_| {})
        .await
    });
    assert_eq!(state.unwrap().model_retry_count, 1);
}

#[test]
fn sources_of_chunks_are_spawned() {
    let (client, kept) = (client(), Arc::new(Mutex::new(Vec::new())));
    let state = spawn({
        let kept = kept.clone();
        async move {
            let client = &client;
            Operation::chunks(|| client.connect("a chunk"), |chunk: &String| Some(chunk))
                .fallback_chunks(|| client.stream("another"))
                .collect_chunks(kept)
                .timer(smol::Timer::after)
                .timeout(Timeout::inter_token(secs(10)))
                .await
        }
    });
    assert_eq!(state.unwrap().content, "client: a chunk");
    assert_eq!(*kept.lock().unwrap(), ["client: ", "a chunk"]);
}

#[test]
fn operations_are_spawned_inside_verbs() {
    let client = client();
    let contents = spawn(async move {
        let prompts = [String::from("a"), String::from("b")];
        let client = &client;
        let operations = prompts
            .iter()
            .map(|prompt| Operation::new(move || client.connect(prompt)));
        let result = abreast::parallel(operations).await;
        let states = result.successful_results();
        states
            .map(|state| state.content.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(contents, ["client: a", "client: b"]);
}

#[test]
fn local_sources_stay_on_one_thread() {
    let counted = Rc::new(Cell::new(0));
    let operation = Operation::new({
        let counted = counted.clone();
        move || {
            let counted = counted.clone();
            stream::iter([Ok::<_, Rc<str>>("a")]).inspect(move |_| counted.set(counted.get() + 1))
        }
    })
    .classify(|_: &Rc<str>| Category::Model)
    .timer(|_| {
        let local = Rc::new(());
        async move { drop(local) }
    })
    .retry(Retry::recommended());
    let boxed: LocalBoxFuture<'_, _> = operation.boxed_local();
    assert!(futures::executor::block_on(boxed).is_ok());
    assert_eq!(counted.get(), 1);
}

fn ask(word: &'static str) -> Operation<impl Source<Error = Fault>> {
    Operation::new(move || stream::iter([Ok(word)])).on_token(|_| {})
}

fn ask_patiently(
    word: &'static str,
) -> Operation<impl Source<Error = Fault>, impl Timer<Sleep: Send>> {
    ask(word).timer(smol::Timer::after).retry(Retry::strict())
}

fn ask_the_same<S: Source<Error = Fault>>(source: Operation<S>) -> Operation<S, NoTimer, Fault> {
    source
}

type Words = stream::Iter<std::array::IntoIter<Result<&'static str, Fault>, 1>>;

/// Operations whose types have no `impl` in them.
struct Named {
    at_hand: Operation<AtHand>,
    connecting: Operation<Connecting>,
    racing: Operation<Racing, NoTimer, Failures<Fault>>,
}

type Open = fn() -> Words;
type AtHand = Streams<Opener<Open, Opens>, Words>;

type Connected = Ready<Result<Words, Fault>>;
type Connect = fn() -> Connected;
type Connecting = Streams<Opener<Connect, Connects>, Connection<Connected, Words>>;

type Chosen = FirstTokenOptions<AtOnce, AsText, fn(usize)>;
type Chooser = FirstToken<Open, Opens, Chosen>;
type Racing = Streams<Opener<Chooser, Races<Opens>>, FirstTokenStream<Chooser, Words>>;

#[test]
fn types_can_be_written_out() {
    let open: Open = || stream::iter([Ok("a")]);
    let connect: Connect = || ready(Ok(stream::iter([Ok("b")])));
    let ignore: fn(usize) = |_| ();
    let named = Named {
        at_hand: Operation::new(open),
        connecting: Operation::new(connect),
        racing: Operation::new(first_token([open, open]).on_winner(ignore)),
    };
    let content = spawn(async {
        let first = named.at_hand.await.unwrap().content;
        let second = named.connecting.await.unwrap().content;
        first + &second + &named.racing.await.unwrap().content
    });
    assert_eq!(content, "aba");
}

#[test]
fn types_can_be_named_and_erased() {
    type Answer = Result<State, OperationFailure<Fault>>;

    struct App {
        pool: OperationPool,
        operations: Vec<BoxFuture<'static, Answer>>,
        last: Option<Pin<Box<dyn Future<Output = Answer> + Send>>>,
    }

    let (pool, mut driver) = create_pool(2)
        .timer(|duration| async move { smol::Timer::after(duration).await })
        .shared_retry(
            Retry::recommended()
                .should_retry(|failed| failed.error != &AttemptError::Stream(Fault::Broken)),
        )
        .shared_timeout(Timeout::NONE)
        .shared_classify(|_: &Fault| Category::Model)
        .on_event(|_| {})
        .build();
    let mut app = App {
        pool,
        operations: vec![ask("a").boxed(), ask_patiently("b").boxed()],
        last: None,
    };
    app.last = Some(Box::pin(ask_the_same(ask("c"))));
    let pooled = app.pool.execute(ask_patiently("d")).unwrap();
    let contents = spawn(async move {
        let mut contents = Vec::new();
        for operation in app.operations.into_iter().chain(app.last) {
            contents.push(operation.await.unwrap().content);
        }
        contents.push(driver.run_until(pooled).await.unwrap().content);
        contents
    });
    assert_eq!(contents, ["a", "b", "c", "d"]);
}
