select order_id, ordered_on, amount
from {{ ref('stg_orders') }}
