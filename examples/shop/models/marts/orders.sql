select
    o.order_id,
    o.customer_id,
    c.name as customer_name,
    o.ordered_on,
    o.status,
    {% if var('break_orders_model') %}o.no_such_column,{% endif %}
    o.amount
from {{ ref('stg_orders') }} as o
join {{ ref('stg_customers') }} as c on c.customer_id = o.customer_id
