select customer_id, orders > 0 as has_ordered
from {{ ref('customers') }}
