-- Is built even when orders fails, on the orders of an earlier build.
select status, count(*) as orders
from {{ ref('orders') }}
group by status
