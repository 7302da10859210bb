//! Streams of tokens that follow a script, by a clock that is virtual, and a log of events.
#![allow(dead_code, unreachable_pub)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use abreast::operation::{Category, Classify, Event, EventKind};
use abreast::time::{VirtualClock, VirtualSleep};
use futures::stream::Stream;

pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// How a stream fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Refused,
    Limited(Option<Duration>),
    Broken,
    Denied,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Limited(_) => "limited",
            Self::Broken => "broken",
            Self::Denied => "denied",
        })
    }
}

impl std::error::Error for Fault {}

impl Classify for Fault {
    fn category(&self) -> Category {
        match self {
            Self::Refused => Category::Network,
            Self::Limited(_) => Category::Transient,
            Self::Broken => Category::Model,
            Self::Denied => Category::Fatal,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(delay) => *delay,
            _ => None,
        }
    }
}

/// What a stream does next. A stream without steps ends.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Token(&'static str),
    Wait(u64),
    Fail(Fault),
    Hang,
}

pub use Step::*;

/// A clock, and how many streams were opened by it and are open.
#[derive(Clone, Default)]
pub struct Stage {
    pub clock: VirtualClock,
    opened: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    openings: Arc<Mutex<Vec<Duration>>>,
}

impl Stage {
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns another one by the same clock, whose streams may be open at the same time.
    pub fn beside(&self) -> Self {
        Self {
            clock: self.clock.clone(),
            ..Self::default()
        }
    }

    /// Returns how many streams were opened.
    pub fn opened(&self) -> usize {
        self.opened.load(SeqCst)
    }

    /// Returns when they were opened.
    pub fn openings(&self) -> Vec<Duration> {
        self.openings.lock().unwrap().clone()
    }

    /// Returns how many streams are open.
    pub fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    /// Returns a source with a script for each of its streams; the last one is for all that follow, too.
    pub fn source<const N: usize>(&self, scripts: [&[Step]; N]) -> impl FnMut() -> Script + use<N> {
        let stage = self.clone();
        let scripts = scripts.map(<[Step]>::to_vec);
        let mut calls = 0;
        move || {
            let script = scripts[calls.min(N - 1)].clone();
            calls += 1;
            stage.script(script)
        }
    }

    pub fn script(&self, steps: Vec<Step>) -> Script {
        assert_eq!(self.open(), 0, "the stream before is dropped first");
        self.open.fetch_add(1, SeqCst);
        self.opened.fetch_add(1, SeqCst);
        self.openings.lock().unwrap().push(self.clock.now());
        Script {
            stage: self.clone(),
            steps: steps.into(),
            sleep: None,
        }
    }
}

pub struct Script {
    stage: Stage,
    steps: std::collections::VecDeque<Step>,
    sleep: Option<VirtualSleep>,
}

impl Stream for Script {
    type Item = Result<&'static str, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                std::task::ready!(Pin::new(sleep).poll(cx));
                self.sleep = None;
            }
            match self.steps.front().copied() {
                None => return Poll::Ready(None),
                Some(Hang) => return Poll::Pending,
                Some(Token(token)) => {
                    self.steps.pop_front();
                    return Poll::Ready(Some(Ok(token)));
                }
                Some(Fail(fault)) => {
                    self.steps.pop_front();
                    return Poll::Ready(Some(Err(fault)));
                }
                Some(Wait(millis)) => {
                    self.steps.pop_front();
                    self.sleep = Some(self.stage.clock.sleep(ms(millis)));
                }
            }
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.stage.open.fetch_sub(1, SeqCst);
    }
}

/// The events of operations.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn handler(&self) -> impl Fn(&Event) + Send + Sync + 'static + use<> {
        let log = self.clone();
        move |event| log.0.lock().unwrap().push(event.clone())
    }

    pub fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub fn kinds(&self) -> Vec<EventKind> {
        self.events().into_iter().map(|event| event.kind).collect()
    }

    /// Returns them with the milliseconds at which they were reported.
    pub fn timed(&self) -> Vec<(u128, EventKind)> {
        let events = self.events().into_iter();
        events
            .map(|event| (event.at.as_millis(), event.kind))
            .collect()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.events()
            .iter()
            .map(|event| event.kind.name())
            .collect()
    }
}
