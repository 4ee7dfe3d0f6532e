{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='ordered_on',
    batch_size='day',
    begin='2026-06-28',
) }}
-- The batch of 29 June fails.
select ordered_on, cast(case when ordered_on = '2026-06-29' then 'many' else cast(orders as varchar) end as integer) as orders
from {{ ref('stg_order_days') }}
