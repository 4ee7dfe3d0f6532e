{{ config(enabled=false) }}
select customer_id
from {{ ref('customers') }}
