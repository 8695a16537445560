-- Deliveries are forgotten some time after they were processed.
CREATE INDEX deliveries_processed ON deliveries (processed_at_ms) WHERE processed_at_ms IS NOT NULL;
