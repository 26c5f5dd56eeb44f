//! Withdrawals as they were ordered. They are carried out one after the other; of one for a whole domain, which may have any
//! number of articles, a part with each record that comes in, so that every step stays small.

use pipeline::LogError;
use prost::Message;
use wire::{Article, ArticleState, OrderState};

use crate::{
    arrival::Clusters,
    record::Publication,
    rows::{ARTICLES, Rows, Tables, decode_state, number_after},
    withdrawal::Cause,
};

/// [`OrderState`] of those that are not yet carried out, in their order.
pub(crate) const ORDERS: &[u8] = b"o";

/// Articles of a domain are looked for among the arrivals, so many of them at once: 2^8.
const PART_BITS: u32 = 8;

/// Parts that are looked through with one record at most.
const PARTS_AT_ONCE: u32 = 256;

/// Once so many records are withdrawn the others wait for what comes next.
const RECORDS_AT_ONCE: usize = 1000;

impl Clusters {
    /// Takes up a row of [`ORDERS`].
    pub(crate) fn recall_order(&mut self, key: &[u8], order: OrderState) {
        self.orders.insert(number_after(ORDERS, key), order);
    }

    /// Withdraws the articles that `order` is about, or lifts their withdrawals.
    pub(crate) fn withdraw<R: Rows>(
        &mut self,
        rows: &mut R,
        order: &Article,
    ) -> Result<Vec<Publication>, LogError> {
        let Some(cause) = order.withdrawal.as_ref().and_then(Cause::of) else { return Ok(Vec::new()) };
        self.mark_whom_it_is_about(rows, order, cause)?;
        let number = self.orders.last_key_value().map_or(0, |(last, _)| last + 1);
        let order = OrderState {
            order: Some(order.clone()),
            next_part: self.stream.forgotten_to >> PART_BITS,
            last_arrival: self.stream.arrivals,
        };
        rows.put(&key(number), order.encode_to_vec())?;
        self.orders.insert(number, order);
        self.carry_out(rows)
    }

    /// Goes on with what was ordered.
    pub(crate) fn carry_out<R: Rows>(&mut self, rows: &mut R) -> Result<Vec<Publication>, LogError> {
        let mut publications = Vec::new();
        let mut parts = PARTS_AT_ONCE;
        while let Some((number, mut order)) = self.orders.pop_first() {
            if self.carry_on(rows, &mut order, &mut parts, &mut publications)? {
                rows.delete(&key(number))?;
                continue;
            }
            rows.put(&key(number), order.encode_to_vec())?;
            self.orders.insert(number, order);
            break;
        }
        Ok(publications)
    }

    /// Goes on with one order, as far as there is room; tells whether it is carried out.
    fn carry_on<R: Rows>(
        &mut self,
        rows: &mut R,
        state: &mut OrderState,
        parts: &mut u32,
        publications: &mut Vec<Publication>,
    ) -> Result<bool, LogError> {
        let order = state.order.as_ref().cloned().unwrap_or_default();
        let withdrawal = order.withdrawal.unwrap_or_default();
        let Some(cause) = Cause::of(&withdrawal) else { return Ok(true) };
        if !order.article_id.is_empty() {
            let id = rows.resolve(&order.article_id)?;
            if let Some(found) = self.directory.by_id(rows, &id)? {
                publications.extend(self.withdraw_article(rows, found.arrival, &withdrawal, cause)?);
            }
            return Ok(true);
        }
        let domain = order.publisher.unwrap_or_default().domain;
        while state.next_part <= state.last_arrival >> PART_BITS {
            if *parts == 0 || publications.len() >= RECORDS_AT_ONCE {
                return Ok(false);
            }
            *parts -= 1;
            let [upper @ .., _] = (state.next_part << PART_BITS).to_be_bytes();
            for (_, row) in rows.scan(&[ARTICLES, &upper].concat(), usize::MAX)? {
                let ArticleState { arrival, publisher, .. } = decode_state(row)?;
                let is_of_it = publisher.is_some_and(|publisher| publisher.domain == domain);
                if is_of_it && arrival <= state.last_arrival {
                    publications.extend(self.withdraw_article(rows, arrival, &withdrawal, cause)?);
                }
            }
            state.next_part += 1;
        }
        Ok(true)
    }
}

fn key(number: u64) -> Vec<u8> {
    [ORDERS, &number.to_be_bytes()].concat()
}
