select
    customer_id,
    name,
    email,
    last_order_on,
    cast('{{ var("as_of") }}' as date) - last_order_on as days_since_last_order,
    lifetime_value
from {{ ref('customers') }}
where last_order_on < cast('{{ var("as_of") }}' as date) - {{ var('reengage_after_days') }}
