{{ config(event_time='ordered_on') }}
select ordered_on, count(*) as orders
from {{ ref('stg_orders') }}
group by ordered_on
